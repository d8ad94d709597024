"""Compare the stream's records of a purchase with what the batch layer recomputes.

Input: one purchase and its record in every source; output: findings. Equal features mean equal
bytes, equal scores the same float64. A finding contains no personal data.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES

_NUMBER: Final = struct.Struct("<d")
_VECTOR_BYTES: Final = len(VECTOR_FEATURES) * _NUMBER.size


class Finding(enum.StrEnum):
    """Class of difference; each has a row for every day, with 0 where nothing was found."""

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


class RecordSource(enum.StrEnum):
    """Source of a record that is compared."""

    FRAUD_TOPIC = "raw_fraud_topic"
    FEATURE_TOPIC = "raw_feature_topic"
    CORE_VERDICTS = "core_verdicts"
    CORE_TRANSACTIONS = "core_transactions"
    CASSANDRA = "cassandra"


class Mismatch(NamedTuple):
    """One finding with its transaction, source, and the two values."""

    finding: Finding
    transaction_id: str
    source: RecordSource
    actual: str
    expected: str


class RecordedScore(NamedTuple):
    """One model's score in a record."""

    model: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredOutcome:
    """Result of scoring a purchase: the batch layer's own, or a source's."""

    outcome: str
    risk: str
    score: float
    model_scores: tuple[RecordedScore, ...] = ()

    @property
    def decision(self) -> str:
        """Format outcome and risk for an example."""
        return f"{self.outcome} {self.risk}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedVerdict:
    """Verdict as recorded by one source."""

    scored: ScoredOutcome
    amount_eur_cents: int
    digest: str = ""
    """Hash of the whole message in canonical form; empty where the source has only its columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """Batch layer's results for an accepted purchase."""

    amount_eur_cents: int
    features: bytes | None = None
    """The vector, or as much of its beginning as can be recomputed; None: nothing can."""
    scored: ScoredOutcome | None = None
    """None: it could not be rescored, for a reason that is counted elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseRecords:
    """All records of one transaction id."""

    transaction_id: str
    computed: Recomputed | None  # None: the log has no accepted purchase of this id
    copies: Sequence[RecordedVerdict] = ()  # different verdicts on the topic, latest first
    core: RecordedVerdict | None = None
    core_amount_eur_cents: int | None = None  # of core_transactions; None: missing
    stored: RecordedVerdict | None = None
    is_store_checked: bool = True
    served: Sequence[bytes] = ()  # different vectors on the topic


def findings_of(purchase: PurchaseRecords) -> Iterator[Mismatch]:
    """Find all differences of one purchase."""
    if purchase.computed is None:
        yield from _extra(purchase)
        return
    yield from _missing(purchase)
    yield from _duplicate(purchase)
    yield from _features(purchase, purchase.computed)
    for source, actual in _verdicts(purchase):
        yield from _outcome(purchase, source, actual)
    yield from _amounts(purchase, purchase.computed)
    yield from _store(purchase)


def _found(
    of: PurchaseRecords, finding: Finding, source: RecordSource, actual: object, expected: object
) -> Mismatch:
    return Mismatch(finding, of.transaction_id, source, str(actual), str(expected))


def _extra(purchase: PurchaseRecords) -> Iterator[Mismatch]:
    expected = "no accepted purchase"
    for source, actual in _verdicts(purchase):
        yield _found(purchase, Finding.EXTRA_IN_ARCHIVE, source, actual.scored.decision, expected)
    if purchase.stored is not None:
        decision = purchase.stored.scored.decision
        yield _found(purchase, Finding.EXTRA_IN_STORE, RecordSource.CASSANDRA, decision, expected)


def _missing(purchase: PurchaseRecords) -> Iterator[Mismatch]:
    archive = {
        RecordSource.FRAUD_TOPIC: bool(purchase.copies),
        RecordSource.CORE_VERDICTS: purchase.core is not None,
        RecordSource.CORE_TRANSACTIONS: purchase.core_amount_eur_cents is not None,
    }
    for source, is_there in archive.items():
        if not is_there:
            yield _found(purchase, Finding.MISSING_IN_ARCHIVE, source, "nothing", "a row")
    if purchase.is_store_checked and purchase.stored is None:
        yield _found(
            purchase, Finding.MISSING_IN_STORE, RecordSource.CASSANDRA, "nothing", "a verdict"
        )
    if not purchase.served:
        values = "nothing", "a vector"
        yield _found(purchase, Finding.MISSING_FEATURES, RecordSource.FEATURE_TOPIC, *values)


def _duplicate(purchase: PurchaseRecords) -> Iterator[Mismatch]:
    for other in purchase.copies[1:]:
        actual = f"{other.scored.decision} {other.scored.score!r}"
        first = purchase.copies[0].scored
        expected = f"only {first.decision} {first.score!r}"
        yield _found(purchase, Finding.DUPLICATE, RecordSource.FRAUD_TOPIC, actual, expected)


def _features(purchase: PurchaseRecords, computed: Recomputed) -> Iterator[Mismatch]:
    if computed.features is None:
        return
    for vector in purchase.served:
        values = difference(vector, computed.features)
        if values is not None:
            yield _found(purchase, Finding.DIFFERENT_FEATURES, RecordSource.FEATURE_TOPIC, *values)


def difference(served: bytes, computed: bytes) -> tuple[str, str] | None:
    """Return the first differing feature, as served and as computed; None for equal bytes."""
    if len(served) != _VECTOR_BYTES:
        return f"{len(served)} bytes", f"{_VECTOR_BYTES} bytes"
    if served.startswith(computed):
        return None
    for index in range(len(computed) // _NUMBER.size):
        here = slice(index * _NUMBER.size, (index + 1) * _NUMBER.size)
        if served[here] != computed[here]:
            values = (_NUMBER.unpack(side[here])[0] for side in (served, computed))
            actual, expected = (f"{VECTOR_FEATURES[index].name} {value!r}" for value in values)
            return actual, expected
    return "other bytes", "equal bytes"


def _verdicts(purchase: PurchaseRecords) -> Iterator[tuple[RecordSource, RecordedVerdict]]:
    """Return the verdict in effect, as each part of the archive has it."""
    if purchase.copies:
        yield RecordSource.FRAUD_TOPIC, purchase.copies[0]
    if purchase.core is not None:
        yield RecordSource.CORE_VERDICTS, purchase.core


def _outcome(
    purchase: PurchaseRecords, source: RecordSource, actual: RecordedVerdict
) -> Iterator[Mismatch]:
    expected = _expected(purchase)
    if expected is None:
        return
    if actual.scored.decision != expected.decision:
        decisions = actual.scored.decision, expected.decision
        yield _found(purchase, Finding.DIFFERENT_OUTCOME, source, *decisions)
    ours, theirs = _scores(actual.scored), _scores(expected)
    if ours != theirs:
        values = " ".join(f"{name} {score!r}" for name, score in sorted(ours - theirs))
        wanted = " ".join(f"{name} {score!r}" for name, score in sorted(theirs - ours))
        yield _found(purchase, Finding.DIFFERENT_SCORE, source, values or "none", wanted or "none")


def _scores(scored: ScoredOutcome) -> frozenset[tuple[str, float]]:
    by_models = ((one.model, one.score) for one in scored.model_scores)
    return frozenset({("score", scored.score), *by_models})


def _expected(purchase: PurchaseRecords) -> ScoredOutcome | None:
    """Return the batch layer's result; without one, the archive is compared with the topic."""
    if purchase.computed is not None and purchase.computed.scored is not None:
        return purchase.computed.scored
    return purchase.copies[0].scored if purchase.copies else None


def _amounts(purchase: PurchaseRecords, computed: Recomputed) -> Iterator[Mismatch]:
    actual = {source: verdict.amount_eur_cents for source, verdict in _verdicts(purchase)}
    if purchase.core_amount_eur_cents is not None:
        actual[RecordSource.CORE_TRANSACTIONS] = purchase.core_amount_eur_cents
    for source, amount in actual.items():
        if amount != computed.amount_eur_cents:
            values = amount, computed.amount_eur_cents
            yield _found(purchase, Finding.DIFFERENT_AMOUNT, source, *values)


def _store(purchase: PurchaseRecords) -> Iterator[Mismatch]:
    if purchase.stored is None or not purchase.copies:
        return
    stored, archived = purchase.stored, purchase.copies[0]
    if stored.digest != archived.digest:
        values = [
            (f"{name} {here!r}", f"{name} {there!r}")
            for name, here, there in (
                ("decision", stored.scored.decision, archived.scored.decision),
                ("score", stored.scored.score, archived.scored.score),
                ("amount", stored.amount_eur_cents, archived.amount_eur_cents),
            )
            if here != there
        ]
        first = values[0] if values else ("another field", "as on the topic")
        yield _found(purchase, Finding.DIFFERENT_IN_STORE, RecordSource.CASSANDRA, *first)
