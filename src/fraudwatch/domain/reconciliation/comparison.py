"""What the stream said of a purchase, held against what the batch layer computes of it again.

One purchase and what every holder has of it in, findings out. Equal features mean equal bytes,
equal scores the same float64. Of a person no value is in a finding.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from fraudwatch.domain.features.feature_vector import SERVED

_NUMBER: Final = struct.Struct("<d")
_VECTOR_BYTES: Final = len(SERVED) * _NUMBER.size


class Finding(enum.StrEnum):
    """What may be wrong; each has its row of every day, with 0 where nothing was found."""

    MISSING_IN_ARCHIVE = "missing_in_archive"
    MISSING_IN_STORE = "missing_in_store"
    MISSING_FEATURES = "missing_features"
    EXTRA_IN_ARCHIVE = "extra_in_archive"
    EXTRA_IN_STORE = "extra_in_store"
    DUPLICATE = "duplicate"
    DIFFERENT_FEATURES = "different_features"
    DIFFERENT_SCORE = "different_score"
    DIFFERENT_OUTCOME = "different_outcome"
    DIFFERENT_AMOUNT = "different_amount"
    DIFFERENT_IN_STORE = "different_in_store"


class Holder(enum.StrEnum):
    """Who says so."""

    FRAUD_TOPIC = "raw_fraud_topic"
    FEATURE_TOPIC = "raw_feature_topic"
    CORE_VERDICTS = "core_verdicts"
    CORE_TRANSACTIONS = "core_transactions"
    CASSANDRA = "cassandra"


class Found(NamedTuple):
    """One finding: whose, and the two values."""

    finding: Finding
    transaction_id: str
    held_by: Holder
    said: str
    expected: str


class ModelSaid(NamedTuple):
    """What one model said."""

    model: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was decided of a purchase; the batch layer's own, or a holder's."""

    outcome: str
    risk: str
    score: float
    model_scores: tuple[ModelSaid, ...] = ()

    @property
    def decision(self) -> str:
        """Outcome and risk, as an example shows them."""
        return f"{self.outcome} {self.risk}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A verdict as one holder has it."""

    judgement: Judgement
    amount_eur_cents: int
    digest: str = ""
    """Of the whole message in one canonical form; empty where the holder has only columns of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """What the batch layer makes of an accepted purchase."""

    amount_eur_cents: int
    features: bytes | None = None
    """The vector, or as much of its beginning as can be computed again; None: nothing can."""
    judgement: Judgement | None = None
    """None: it could not be judged again, for a reason that is counted elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """Everything that is known of one transaction id."""

    transaction_id: str
    computed: Computed | None  # None: the log holds no purchase of this id that was accepted
    copies: Sequence[Said] = ()  # the different verdicts on the topic, the one decided last first
    core: Said | None = None
    core_amount_eur_cents: int | None = None  # of core_transactions; None: it is not there
    stored: Said | None = None
    is_store_asked: bool = True
    served: Sequence[bytes] = ()  # the different vectors on the topic


def findings_of(purchase: Purchase) -> Iterator[Found]:
    """Everything that is wrong with one purchase."""
    if purchase.computed is None:
        yield from _extra(purchase)
        return
    yield from _missing(purchase)
    yield from _duplicate(purchase)
    yield from _features(purchase, purchase.computed)
    for holder, said in _verdicts(purchase):
        yield from _judgement(purchase, holder, said)
    yield from _amounts(purchase, purchase.computed)
    yield from _store(purchase)


def _found(of: Purchase, finding: Finding, holder: Holder, said: object, expected: object) -> Found:
    return Found(finding, of.transaction_id, holder, str(said), str(expected))


def _extra(purchase: Purchase) -> Iterator[Found]:
    expected = "no accepted purchase"
    for holder, said in _verdicts(purchase):
        yield _found(purchase, Finding.EXTRA_IN_ARCHIVE, holder, said.judgement.decision, expected)
    if purchase.stored is not None:
        decision = purchase.stored.judgement.decision
        yield _found(purchase, Finding.EXTRA_IN_STORE, Holder.CASSANDRA, decision, expected)


def _missing(purchase: Purchase) -> Iterator[Found]:
    archive = {
        Holder.FRAUD_TOPIC: bool(purchase.copies),
        Holder.CORE_VERDICTS: purchase.core is not None,
        Holder.CORE_TRANSACTIONS: purchase.core_amount_eur_cents is not None,
    }
    for holder, is_there in archive.items():
        if not is_there:
            yield _found(purchase, Finding.MISSING_IN_ARCHIVE, holder, "nothing", "a row")
    if purchase.is_store_asked and purchase.stored is None:
        yield _found(purchase, Finding.MISSING_IN_STORE, Holder.CASSANDRA, "nothing", "a verdict")
    if not purchase.served:
        told = "nothing", "a vector"
        yield _found(purchase, Finding.MISSING_FEATURES, Holder.FEATURE_TOPIC, *told)


def _duplicate(purchase: Purchase) -> Iterator[Found]:
    for other in purchase.copies[1:]:
        said = f"{other.judgement.decision} {other.judgement.score!r}"
        first = purchase.copies[0].judgement
        standing = f"only {first.decision} {first.score!r}"
        yield _found(purchase, Finding.DUPLICATE, Holder.FRAUD_TOPIC, said, standing)


def _features(purchase: Purchase, computed: Computed) -> Iterator[Found]:
    if computed.features is None:
        return
    for vector in purchase.served:
        told = difference(vector, computed.features)
        if told is not None:
            yield _found(purchase, Finding.DIFFERENT_FEATURES, Holder.FEATURE_TOPIC, *told)


def difference(served: bytes, computed: bytes) -> tuple[str, str] | None:
    """The first feature that differs, as served and as computed; None where all bytes are equal."""
    if len(served) != _VECTOR_BYTES:
        return f"{len(served)} bytes", f"{_VECTOR_BYTES} bytes"
    if served.startswith(computed):
        return None
    for place in range(len(computed) // _NUMBER.size):
        here = slice(place * _NUMBER.size, (place + 1) * _NUMBER.size)
        if served[here] != computed[here]:
            values = (_NUMBER.unpack(side[here])[0] for side in (served, computed))
            said, expected = (f"{SERVED[place].name} {value!r}" for value in values)
            return said, expected
    return "other bytes", "equal bytes"


def _verdicts(purchase: Purchase) -> Iterator[tuple[Holder, Said]]:
    """The verdict that stands, as each part of the archive has it."""
    if purchase.copies:
        yield Holder.FRAUD_TOPIC, purchase.copies[0]
    if purchase.core is not None:
        yield Holder.CORE_VERDICTS, purchase.core


def _judgement(purchase: Purchase, holder: Holder, said: Said) -> Iterator[Found]:
    expected = _expected(purchase)
    if expected is None:
        return
    if said.judgement.decision != expected.decision:
        decisions = said.judgement.decision, expected.decision
        yield _found(purchase, Finding.DIFFERENT_OUTCOME, holder, *decisions)
    ours, theirs = _scores(said.judgement), _scores(expected)
    if ours != theirs:
        told = " ".join(f"{name} {score!r}" for name, score in sorted(ours - theirs))
        wanted = " ".join(f"{name} {score!r}" for name, score in sorted(theirs - ours))
        yield _found(purchase, Finding.DIFFERENT_SCORE, holder, told or "none", wanted or "none")


def _scores(judgement: Judgement) -> frozenset[tuple[str, float]]:
    by_models = ((one.model, one.score) for one in judgement.model_scores)
    return frozenset({("score", judgement.score), *by_models})


def _expected(purchase: Purchase) -> Judgement | None:
    """The batch layer's judgement; without one, parts of the archive are held to the topic."""
    if purchase.computed is not None and purchase.computed.judgement is not None:
        return purchase.computed.judgement
    return purchase.copies[0].judgement if purchase.copies else None


def _amounts(purchase: Purchase, computed: Computed) -> Iterator[Found]:
    said = {holder: verdict.amount_eur_cents for holder, verdict in _verdicts(purchase)}
    if purchase.core_amount_eur_cents is not None:
        said[Holder.CORE_TRANSACTIONS] = purchase.core_amount_eur_cents
    for holder, amount in said.items():
        if amount != computed.amount_eur_cents:
            values = amount, computed.amount_eur_cents
            yield _found(purchase, Finding.DIFFERENT_AMOUNT, holder, *values)


def _store(purchase: Purchase) -> Iterator[Found]:
    if purchase.stored is None or not purchase.copies:
        return
    stored, archived = purchase.stored, purchase.copies[0]
    if stored.digest != archived.digest:
        told = [
            (f"{name} {here!r}", f"{name} {there!r}")
            for name, here, there in (
                ("decision", stored.judgement.decision, archived.judgement.decision),
                ("score", stored.judgement.score, archived.judgement.score),
                ("amount", stored.amount_eur_cents, archived.amount_eur_cents),
            )
            if here != there
        ]
        values = told[0] if told else ("another field", "as on the topic")
        yield _found(purchase, Finding.DIFFERENT_IN_STORE, Holder.CASSANDRA, *values)
