"""Compare the stream's records of a purchase with what the batch layer recomputes.

Input: one purchase and its record in every source; output: findings. Equal features mean equal
bytes, equal scores the same float64. A finding contains no personal data.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.reconciliation.records import (
    Finding,
    Mismatch,
    PurchaseRecords,
    Recomputed,
    RecordedVerdict,
    RecordSource,
    ScoredOutcome,
)

_NUMBER: Final = struct.Struct("<d")
_VECTOR_BYTES: Final = len(VECTOR_FEATURES) * _NUMBER.size


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
