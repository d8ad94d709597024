from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import pytest

from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.features.feature_vector import SERVED
from fraudwatch.domain.reconciliation.comparison import (
    Computed,
    Finding,
    Found,
    Holder,
    Judgement,
    ModelSaid,
    Purchase,
    Said,
    findings_of,
)
from fraudwatch.domain.reconciliation.day_cut import DayCut, ends_from, ends_text, is_before
from fraudwatch.domain.reconciliation.reconciled import Note, Reconciled

JUDGEMENT = Judgement(
    outcome="approve", risk="LOW", score=0.1, model_scores=(ModelSaid("fraud", 0.07),)
)
SAID = Said(judgement=JUDGEMENT, amount_eur_cents=2_590, digest="one")
VECTOR = struct.pack(f"<{len(SERVED)}d", *range(len(SERVED)))
FOLDED = VECTOR[: len(FEATURES) * 8]


def a_purchase(**changes: Any) -> Purchase:
    usual: dict[str, Any] = {
        "transaction_id": "shop:1",
        "computed": Computed(amount_eur_cents=2_590, features=VECTOR, judgement=JUDGEMENT),
        "copies": (SAID,),
        "core": replace(SAID, digest=""),
        "core_amount_eur_cents": 2_590,
        "stored": SAID,
        "served": (VECTOR,),
    }
    return Purchase(**usual | changes)


def judged(**changes: Any) -> Said:
    return replace(SAID, judgement=replace(JUDGEMENT, **changes), digest="other")


def named(purchase: Purchase) -> list[tuple[Finding, Holder]]:
    return [(one.finding, one.held_by) for one in findings_of(purchase)]


def test_what_agrees_is_no_finding() -> None:
    assert named(a_purchase()) == []


def test_of_a_vector_as_much_is_compared_as_was_computed() -> None:
    other_views = VECTOR[:-8] + struct.pack("<d", 0.5)
    computed = Computed(amount_eur_cents=2_590, features=FOLDED, judgement=JUDGEMENT)
    assert named(a_purchase(served=(other_views,), computed=computed)) == []
    [found] = findings_of(a_purchase(served=(other_views,)))
    assert (found.finding, found.said) == (Finding.DIFFERENT_FEATURES, f"{SERVED[-1].name} 0.5")
    assert found.expected == f"{SERVED[-1].name} {float(len(SERVED) - 1)!r}"


def test_bytes_that_mean_the_same_number_are_different() -> None:
    minus_zero = struct.pack("<d", -0.0) + VECTOR[8:]
    assert named(a_purchase(served=(minus_zero,))) == [
        (Finding.DIFFERENT_FEATURES, Holder.FEATURE_TOPIC)
    ]


def test_a_vector_of_another_length_is_different() -> None:
    [found] = findings_of(a_purchase(served=(FOLDED,)))
    assert (found.said, found.expected) == (f"{len(FOLDED)} bytes", f"{len(VECTOR)} bytes")


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"copies": ()}, [(Finding.MISSING_IN_ARCHIVE, Holder.FRAUD_TOPIC)]),
        ({"core": None}, [(Finding.MISSING_IN_ARCHIVE, Holder.CORE_VERDICTS)]),
        (
            {"core_amount_eur_cents": None},
            [(Finding.MISSING_IN_ARCHIVE, Holder.CORE_TRANSACTIONS)],
        ),
        ({"stored": None}, [(Finding.MISSING_IN_STORE, Holder.CASSANDRA)]),
        ({"stored": None, "is_store_asked": False}, []),
        ({"served": ()}, [(Finding.MISSING_FEATURES, Holder.FEATURE_TOPIC)]),
        (
            {"copies": (SAID, judged(score=0.2))},
            [(Finding.DUPLICATE, Holder.FRAUD_TOPIC)],
        ),
        ({"core": judged(score=0.2)}, [(Finding.DIFFERENT_SCORE, Holder.CORE_VERDICTS)]),
        (
            {"core": judged(model_scores=(ModelSaid("fraud", 0.08),))},
            [(Finding.DIFFERENT_SCORE, Holder.CORE_VERDICTS)],
        ),
        (
            {"core": judged(risk="MEDIUM")},
            [(Finding.DIFFERENT_OUTCOME, Holder.CORE_VERDICTS)],
        ),
        (
            {"core_amount_eur_cents": 1},
            [(Finding.DIFFERENT_AMOUNT, Holder.CORE_TRANSACTIONS)],
        ),
        (
            {"stored": replace(SAID, digest="other")},
            [(Finding.DIFFERENT_IN_STORE, Holder.CASSANDRA)],
        ),
        (
            {"computed": None, "served": ()},
            [
                (Finding.EXTRA_IN_ARCHIVE, Holder.FRAUD_TOPIC),
                (Finding.EXTRA_IN_ARCHIVE, Holder.CORE_VERDICTS),
                (Finding.EXTRA_IN_STORE, Holder.CASSANDRA),
            ],
        ),
    ],
)
def test_each_class_is_found_where_it_is(
    changes: dict[str, Any], wanted: list[tuple[Finding, Holder]]
) -> None:
    assert named(a_purchase(**changes)) == wanted


def test_a_lie_in_the_log_shows_beside_everything_else() -> None:
    lie = judged(outcome="decline")
    assert named(a_purchase(copies=(lie,))) == [
        (Finding.DIFFERENT_OUTCOME, Holder.FRAUD_TOPIC),
        (Finding.DIFFERENT_IN_STORE, Holder.CASSANDRA),
    ]


def test_without_a_judgement_of_its_own_the_archive_is_held_to_the_topic() -> None:
    computed = Computed(amount_eur_cents=2_590)
    assert named(a_purchase(computed=computed)) == []
    found = named(a_purchase(computed=computed, core=judged(score=0.3), served=(b"",)))
    assert found == [(Finding.DIFFERENT_SCORE, Holder.CORE_VERDICTS)]


def test_the_store_says_which_value_differs_and_never_a_persons() -> None:
    [found] = findings_of(a_purchase(stored=judged(score=0.4)))
    assert (found.said, found.expected) == ("score 0.4", "score 0.1")
    [found] = findings_of(a_purchase(stored=replace(SAID, digest="card 4111")))
    assert found.said == "another field"


def test_a_day_is_a_stretch_of_each_partition() -> None:
    cut = DayCut(starts={0: 5}, ends={0: 7, 1: 3})
    places = [(p, o) for p in range(3) for o in range(9) if cut.holds(p, o)]
    assert places == [(0, 5), (0, 6), (1, 0), (1, 1), (1, 2)]
    assert cut.messages == len(places)
    assert ends_from(ends_text({1: 3, 0: 7})) == {0: 7, 1: 3}
    assert ends_text({1: 3, 0: 7}) == ends_text({0: 7, 1: 3})
    assert is_before({0: 5}, {0: 5, 1: 2})
    assert not is_before({0: 6, 1: 0}, {0: 5, 1: 2})
    assert not is_before({2: 1}, {0: 5})


def a_day(counts: dict[Finding, int], notes: dict[Note, int]) -> Reconciled:
    found = [
        Found(one, "shop:7", Holder.CORE_VERDICTS, "approve LOW", "decline HIGH") for one in counts
    ]
    return Reconciled(
        day="2026-11-20", messages=12, purchases=10, counts=counts, notes=notes,
        examples={one.finding: [one] for one in found},
    )  # fmt: skip


def test_the_sentence_says_how_many_of_what_and_what_was_not_looked_at() -> None:
    clean = a_day({}, {Note.VIEWS_UNKNOWN: 4, Note.REPEATED: 0})
    assert clean.sentence(0) == (
        "2026-11-20: 10 purchases, stream and batch agree (views_unknown 4)"
    )
    assert not clean.is_over(0)
    wrong = a_day({Finding.DIFFERENT_OUTCOME: 2, Finding.DUPLICATE: 1}, {})
    assert wrong.is_over(2)
    assert not wrong.is_over(3)
    told = wrong.sentence(0)
    assert "findings 3 among 10 purchases, more than the 0 allowed" in told
    assert "different_outcome 2, duplicate 1" in told
    assert "shop:7" in told
    assert "within the 3 allowed" in wrong.sentence(3)
