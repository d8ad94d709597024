from __future__ import annotations

from typing import Any

import pytest

from fraudwatch.domain.evaluation.labelled_alerts import (
    Outcomes,
    RuleTruth,
    decided_by_analysts,
    outcomes,
    standing_truths,
    truths_by_rule,
)
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, Source, Truth
from fraudwatch.domain.messages.verdict import Outcome, Reason, Risk, Verdict
from fraudwatch.samples import NOON_MS, a_verdict

DAY_MS = 86_400_000
BANK, PERSON = Source.CHARGEBACK, Source.ANALYST
FRAUD, GENUINE, UNSURE = Truth.FRAUD, Truth.GENUINE, Truth.UNSURE


def label(
    truth: Truth, source: Source = PERSON, at: int = 0, transaction_id: str = "shop:1"
) -> Label:
    return Label(
        schema=LABEL_SCHEMA,
        transaction_id=transaction_id,
        verdict=truth,
        source=source,
        by="a.moreno",
        known_at_ms=NOON_MS + at,
    )


def approved(**changes: Any) -> Verdict:
    return a_verdict(**{"outcome": Outcome.APPROVE, "risk": Risk.LOW} | changes)


def test_caught_missed_and_false_alarms_of_one_day() -> None:
    verdicts = [
        a_verdict(transaction_id="shop:1", amount_eur_cents=100),
        a_verdict(transaction_id="shop:2", amount_eur_cents=20, outcome=Outcome.DECLINE),
        approved(transaction_id="shop:3", amount_eur_cents=3),
        a_verdict(transaction_id="shop:4"),
        approved(transaction_id="shop:5"),
        a_verdict(transaction_id="shop:6"),
    ]
    truths = [FRAUD, FRAUD, FRAUD, GENUINE, GENUINE, UNSURE]
    labels = [label(t, transaction_id=f"shop:{n}") for n, t in enumerate(truths, 1)]
    assert outcomes(verdicts, labels) == {
        "2026-01-15": Outcomes(
            caught=2, missed=1, false_positives=1, caught_eur_cents=120, missed_eur_cents=3
        )
    }


def test_days_are_those_of_the_event_and_only_days_with_a_label() -> None:
    verdicts = [
        a_verdict(transaction_id="shop:1", event_at_ms=NOON_MS),
        approved(transaction_id="shop:2", event_at_ms=NOON_MS - DAY_MS),
        a_verdict(transaction_id="shop:3", event_at_ms=NOON_MS - 2 * DAY_MS),
    ]
    labels = [label(GENUINE), label(GENUINE, transaction_id="shop:2"), label(FRAUD, at=1)]
    assert outcomes(verdicts, labels) == {
        "2026-01-15": Outcomes(caught=1, caught_eur_cents=120_000),
        "2026-01-14": Outcomes(),
    }


def test_a_purchase_counts_once_by_the_verdict_decided_last() -> None:
    first, last = approved(decided_at_ms=NOON_MS + 1), a_verdict(decided_at_ms=NOON_MS + 2)
    for verdicts in ([first, last], [last, first], [last, last, first]):
        assert outcomes(verdicts, [label(FRAUD)])["2026-01-15"].caught == 1


def test_a_label_without_a_verdict_is_nobodys() -> None:
    assert outcomes([], [label(FRAUD)]) == {}
    assert outcomes([a_verdict()], []) == {}


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        ([(FRAUD, BANK, 1), (GENUINE, PERSON, 2)], GENUINE),
        ([(FRAUD, BANK, 2), (GENUINE, PERSON, 1)], FRAUD),
        ([(FRAUD, BANK, 1), (GENUINE, PERSON, 1)], FRAUD),
        ([(GENUINE, BANK, 3), (FRAUD, PERSON, 2), (FRAUD, BANK, 1)], GENUINE),
        ([(FRAUD, PERSON, 1), (UNSURE, PERSON, 2)], None),
        ([(UNSURE, PERSON, 1), (FRAUD, PERSON, 2)], FRAUD),
        ([(FRAUD, BANK, 1), (UNSURE, PERSON, 2)], FRAUD),
        ([(FRAUD, BANK, 1), (GENUINE, PERSON, 2), (UNSURE, PERSON, 3)], FRAUD),
        ([(UNSURE, PERSON, 1)], None),
        ([(FRAUD, PERSON, 1), (GENUINE, PERSON, 1)], GENUINE),
    ],
)
def test_which_word_stands(said: list[tuple[Truth, Source, int]], stands: Truth | None) -> None:
    labels = [label(*one) for one in said]
    wanted = {} if stands is None else {"shop:1": stands}
    assert standing_truths(labels) == wanted
    assert standing_truths(labels[::-1]) == wanted


def test_what_analysts_decided_leaves_out_what_the_bank_alone_says() -> None:
    labels = [
        label(GENUINE, transaction_id="shop:1"),
        label(FRAUD, BANK, at=1, transaction_id="shop:1"),
        label(FRAUD, BANK, transaction_id="shop:2"),
        label(FRAUD, transaction_id="shop:3"),
        label(UNSURE, at=1, transaction_id="shop:3"),
        label(GENUINE, transaction_id="shop:4"),
    ]
    decided = decided_by_analysts(labels)
    assert decided == [labels[0], labels[1], labels[5]]
    verdicts = [a_verdict(transaction_id=f"shop:{number}") for number in range(1, 5)]
    (day,) = outcomes(verdicts, decided).values()
    assert (day.false_positives, day.caught) == (1, 1)  # of shop:1 the bank knew better


def test_rules_are_held_against_labels() -> None:
    far, new = Reason("far", 60, "F."), Reason("new", 5, "N.")
    verdicts = [
        a_verdict(transaction_id="shop:1", reasons=(far, new, far)),
        approved(transaction_id="shop:2", reasons=(new,)),
        a_verdict(transaction_id="shop:3", reasons=(far,)),
        a_verdict(transaction_id="shop:4", reasons=(far,)),
    ]
    truths = [FRAUD, GENUINE, UNSURE]
    labels = [label(t, transaction_id=f"shop:{n}") for n, t in enumerate(truths, 1)]
    assert truths_by_rule(verdicts, labels) == {"far": RuleTruth(1, 1), "new": RuleTruth(1, 2)}
