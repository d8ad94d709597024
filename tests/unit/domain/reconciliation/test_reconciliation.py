from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import pytest

from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.reconciliation.comparison import findings_of
from fraudwatch.domain.reconciliation.day_cut import DayCut, ends_from, ends_text, is_before
from fraudwatch.domain.reconciliation.reconciled import Note, Reconciled
from fraudwatch.domain.reconciliation.records import (
    Finding,
    Mismatch,
    PurchaseRecords,
    Recomputed,
    RecordedScore,
    RecordedVerdict,
    RecordSource,
    ScoredOutcome,
)

JUDGEMENT = ScoredOutcome(
    outcome="approve", risk="LOW", score=0.1, model_scores=(RecordedScore("fraud", 0.07),)
)
RECORDED = RecordedVerdict(scored=JUDGEMENT, amount_eur_cents=2_590, digest="one")
VECTOR = struct.pack(f"<{len(VECTOR_FEATURES)}d", *range(len(VECTOR_FEATURES)))
FOLDED = VECTOR[: len(FEATURES) * 8]


def a_purchase(**changes: Any) -> PurchaseRecords:
    usual: dict[str, Any] = {
        "transaction_id": "shop:1",
        "computed": Recomputed(amount_eur_cents=2_590, features=VECTOR, scored=JUDGEMENT),
        "copies": (RECORDED,),
        "core": replace(RECORDED, digest=""),
        "core_amount_eur_cents": 2_590,
        "stored": RECORDED,
        "served": (VECTOR,),
    }
    return PurchaseRecords(**usual | changes)


def recorded(**changes: Any) -> RecordedVerdict:
    return replace(RECORDED, scored=replace(JUDGEMENT, **changes), digest="other")


def named(purchase: PurchaseRecords) -> list[tuple[Finding, RecordSource]]:
    return [(one.finding, one.source) for one in findings_of(purchase)]


def test_equal_records_are_no_finding() -> None:
    assert named(a_purchase()) == []


def test_a_vector_is_compared_as_far_as_it_was_recomputed() -> None:
    other_views = VECTOR[:-8] + struct.pack("<d", 0.5)
    computed = Recomputed(amount_eur_cents=2_590, features=FOLDED, scored=JUDGEMENT)
    assert named(a_purchase(served=(other_views,), computed=computed)) == []
    [found] = findings_of(a_purchase(served=(other_views,)))
    assert (found.finding, found.actual) == (
        Finding.DIFFERENT_FEATURES,
        f"{VECTOR_FEATURES[-1].name} 0.5",
    )
    assert found.expected == f"{VECTOR_FEATURES[-1].name} {float(len(VECTOR_FEATURES) - 1)!r}"


def test_bytes_that_mean_the_same_number_are_different() -> None:
    minus_zero = struct.pack("<d", -0.0) + VECTOR[8:]
    assert named(a_purchase(served=(minus_zero,))) == [
        (Finding.DIFFERENT_FEATURES, RecordSource.FEATURE_TOPIC)
    ]


def test_a_vector_of_another_length_is_different() -> None:
    [found] = findings_of(a_purchase(served=(FOLDED,)))
    assert (found.actual, found.expected) == (f"{len(FOLDED)} bytes", f"{len(VECTOR)} bytes")


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"copies": ()}, [(Finding.MISSING_IN_ARCHIVE, RecordSource.FRAUD_TOPIC)]),
        ({"core": None}, [(Finding.MISSING_IN_ARCHIVE, RecordSource.CORE_VERDICTS)]),
        (
            {"core_amount_eur_cents": None},
            [(Finding.MISSING_IN_ARCHIVE, RecordSource.CORE_TRANSACTIONS)],
        ),
        ({"stored": None}, [(Finding.MISSING_IN_STORE, RecordSource.CASSANDRA)]),
        ({"stored": None, "is_store_checked": False}, []),
        ({"served": ()}, [(Finding.MISSING_FEATURES, RecordSource.FEATURE_TOPIC)]),
        (
            {"copies": (RECORDED, recorded(score=0.2))},
            [(Finding.DUPLICATE, RecordSource.FRAUD_TOPIC)],
        ),
        ({"core": recorded(score=0.2)}, [(Finding.DIFFERENT_SCORE, RecordSource.CORE_VERDICTS)]),
        (
            {"core": recorded(model_scores=(RecordedScore("fraud", 0.08),))},
            [(Finding.DIFFERENT_SCORE, RecordSource.CORE_VERDICTS)],
        ),
        (
            {"core": recorded(risk="MEDIUM")},
            [(Finding.DIFFERENT_OUTCOME, RecordSource.CORE_VERDICTS)],
        ),
        (
            {"core_amount_eur_cents": 1},
            [(Finding.DIFFERENT_AMOUNT, RecordSource.CORE_TRANSACTIONS)],
        ),
        (
            {"stored": replace(RECORDED, digest="other")},
            [(Finding.DIFFERENT_IN_STORE, RecordSource.CASSANDRA)],
        ),
        (
            {"computed": None, "served": ()},
            [
                (Finding.EXTRA_IN_ARCHIVE, RecordSource.FRAUD_TOPIC),
                (Finding.EXTRA_IN_ARCHIVE, RecordSource.CORE_VERDICTS),
                (Finding.EXTRA_IN_STORE, RecordSource.CASSANDRA),
            ],
        ),
    ],
)
def test_each_class_is_found_where_it_is(
    changes: dict[str, Any], wanted: list[tuple[Finding, RecordSource]]
) -> None:
    assert named(a_purchase(**changes)) == wanted


def test_a_wrong_verdict_in_the_log_differs_from_all_other_records() -> None:
    wrong_verdict = recorded(outcome="decline")
    assert named(a_purchase(copies=(wrong_verdict,))) == [
        (Finding.DIFFERENT_OUTCOME, RecordSource.FRAUD_TOPIC),
        (Finding.DIFFERENT_IN_STORE, RecordSource.CASSANDRA),
    ]


def test_without_a_rescored_verdict_the_archive_is_compared_with_the_topic() -> None:
    computed = Recomputed(amount_eur_cents=2_590)
    assert named(a_purchase(computed=computed)) == []
    found = named(a_purchase(computed=computed, core=recorded(score=0.3), served=(b"",)))
    assert found == [(Finding.DIFFERENT_SCORE, RecordSource.CORE_VERDICTS)]


def test_a_difference_in_the_store_names_the_value_without_personal_data() -> None:
    [found] = findings_of(a_purchase(stored=recorded(score=0.4)))
    assert (found.actual, found.expected) == ("score 0.4", "score 0.1")
    [found] = findings_of(a_purchase(stored=replace(RECORDED, digest="card 4111")))
    assert found.actual == "another field"


def test_a_day_is_an_offset_range_of_each_partition() -> None:
    cut = DayCut(starts={0: 5}, ends={0: 7, 1: 3})
    places = [(p, o) for p in range(3) for o in range(9) if cut.contains(p, o)]
    assert places == [(0, 5), (0, 6), (1, 0), (1, 1), (1, 2)]
    assert cut.messages == len(places)
    assert ends_from(ends_text({1: 3, 0: 7})) == {0: 7, 1: 3}
    assert ends_text({1: 3, 0: 7}) == ends_text({0: 7, 1: 3})
    assert is_before({0: 5}, {0: 5, 1: 2})
    assert not is_before({0: 6, 1: 0}, {0: 5, 1: 2})
    assert not is_before({2: 1}, {0: 5})


def a_day(counts: dict[Finding, int], notes: dict[Note, int]) -> Reconciled:
    found = [
        Mismatch(one, "shop:7", RecordSource.CORE_VERDICTS, "approve LOW", "decline HIGH")
        for one in counts
    ]
    return Reconciled(
        day="2026-11-20", messages=12, purchases=10, counts=counts, notes=notes,
        examples={one.finding: [one] for one in found},
    )  # fmt: skip


def test_the_summary_counts_findings_and_what_was_not_compared() -> None:
    clean = a_day({}, {Note.VIEWS_UNKNOWN: 4, Note.REPEATED: 0})
    assert clean.sentence(0) == (
        "2026-11-20: 10 purchases, stream and batch agree (views_unknown 4)"
    )
    assert not clean.is_over(0)
    wrong = a_day({Finding.DIFFERENT_OUTCOME: 2, Finding.DUPLICATE: 1}, {})
    assert wrong.is_over(2)
    assert not wrong.is_over(3)
    summary = wrong.sentence(0)
    assert "findings 3 among 10 purchases, more than the 0 allowed" in summary
    assert "different_outcome 2, duplicate 1" in summary
    assert "shop:7" in summary
    assert "within the 3 allowed" in wrong.sentence(3)


def test_a_day_without_messages_is_reported_as_such_and_never_as_agreement() -> None:
    empty = replace(
        a_day({}, {Note.NOTHING_PRODUCED: 1, Note.UNREADABLE: 2}), messages=0, purchases=0
    )
    assert empty.sentence(0) == (
        "2026-11-20: nothing was produced on this day, so nothing was compared; if purchases were "
        "sent, ./fraudwatch status shows whether ingest works (unreadable 2)"
    )
    assert not empty.is_over(0)
    strays = replace(a_day({Finding.EXTRA_IN_STORE: 1}, {}), messages=0, purchases=0)
    assert "stream and batch differ, findings 1 among 0 purchases" in strays.sentence(0)


def test_messages_without_a_scored_purchase_are_not_agreement() -> None:
    assert replace(a_day({}, {}), purchases=0).sentence(0) == (
        "2026-11-20: none of the 12 messages is a purchase that was scored on this day, so nothing "
        "was compared"
    )


def test_a_day_of_which_nothing_was_recomputed_is_not_agreement_of_stream_and_batch() -> None:
    notes = {Note.POLICY_UNKNOWN: 6, Note.ARCHIVE_INCOMPLETE: 4}
    assert a_day({}, notes).sentence(0) == (
        "2026-11-20: 10 purchases, none of them recomputed: only the records of their verdicts "
        "were compared, and those agree (not_recomputed_policy_unknown 6, "
        "not_recomputed_archive_incomplete 4)"
    )
    assert "stream and batch agree" in a_day({}, {Note.POLICY_UNKNOWN: 9}).sentence(0)
