from __future__ import annotations

from typing import Any

import pytest

from fraudwatch.domain.evaluation.labelled_alerts import (
    LabelledAlertCounts,
    RuleLabelCounts,
    count_labelled_alerts,
    current_labels,
    decided_by_analysts,
    label_counts_by_rule,
)
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.messages.verdict import Outcome, Reason, Risk, Verdict
from fraudwatch.samples import NOON_MS, a_verdict

DAY_MS = 86_400_000
BANK, PERSON = Source.CHARGEBACK, Source.ANALYST
FRAUD, GENUINE, UNSURE = LabelValue.FRAUD, LabelValue.GENUINE, LabelValue.UNSURE


def label(
    value: LabelValue, source: Source = PERSON, at: int = 0, transaction_id: str = "shop:1"
) -> Label:
    return Label(
        schema=LABEL_SCHEMA,
        transaction_id=transaction_id,
        verdict=value,
        source=source,
        by="a.moreno",
        known_at_ms=NOON_MS + at,
    )


def approved(**changes: Any) -> Verdict:
    return a_verdict(**{"outcome": Outcome.APPROVE, "risk": Risk.LOW} | changes)


def test_caught_missed_and_false_positives_of_one_day() -> None:
    verdicts = [
        a_verdict(transaction_id="shop:1", amount_eur_cents=100),
        a_verdict(transaction_id="shop:2", amount_eur_cents=20, outcome=Outcome.DECLINE),
        approved(transaction_id="shop:3", amount_eur_cents=3),
        a_verdict(transaction_id="shop:4"),
        approved(transaction_id="shop:5"),
        a_verdict(transaction_id="shop:6"),
    ]
    values = [FRAUD, FRAUD, FRAUD, GENUINE, GENUINE, UNSURE]
    labels = [label(t, transaction_id=f"shop:{n}") for n, t in enumerate(values, 1)]
    assert count_labelled_alerts(verdicts, labels) == {
        "2026-01-15": LabelledAlertCounts(
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
    assert count_labelled_alerts(verdicts, labels) == {
        "2026-01-15": LabelledAlertCounts(caught=1, caught_eur_cents=120_000),
        "2026-01-14": LabelledAlertCounts(),
    }


def test_a_purchase_counts_once_by_the_verdict_decided_last() -> None:
    first, last = approved(decided_at_ms=NOON_MS + 1), a_verdict(decided_at_ms=NOON_MS + 2)
    for verdicts in ([first, last], [last, first], [last, last, first]):
        assert count_labelled_alerts(verdicts, [label(FRAUD)])["2026-01-15"].caught == 1


def test_a_label_without_a_verdict_does_not_count() -> None:
    assert count_labelled_alerts([], [label(FRAUD)]) == {}
    assert count_labelled_alerts([a_verdict()], []) == {}


@pytest.mark.parametrize(
    ("given", "in_effect"),
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
        # How a dispute ended overrules its chargeback, and a new chargeback that.
        ([(FRAUD, BANK, 1), (GENUINE, Source.WON_DISPUTE, 2)], GENUINE),
        ([(FRAUD, BANK, 1), (GENUINE, Source.FRIENDLY_FRAUD, 2)], GENUINE),
        ([(GENUINE, Source.FRIENDLY_FRAUD, 2), (FRAUD, PERSON, 2)], GENUINE),
        ([(FRAUD, BANK, 3), (FRAUD, BANK, 1), (GENUINE, Source.WON_DISPUTE, 2)], FRAUD),
    ],
)
def test_which_label_is_in_effect(
    given: list[tuple[LabelValue, Source, int]], in_effect: LabelValue | None
) -> None:
    labels = [label(*one) for one in given]
    wanted = {} if in_effect is None else {"shop:1": in_effect}
    assert current_labels(labels) == wanted
    assert current_labels(labels[::-1]) == wanted


def test_decided_by_analysts_leaves_out_chargebacks_alone() -> None:
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
    (day,) = count_labelled_alerts(verdicts, decided).values()
    assert (day.false_positives, day.caught) == (1, 1)  # of shop:1 the bank knew better


def test_rules_are_compared_with_labels() -> None:
    far, new = Reason("far", 60, "F."), Reason("new", 5, "N.")
    verdicts = [
        a_verdict(transaction_id="shop:1", reasons=(far, new, far)),
        approved(transaction_id="shop:2", reasons=(new,)),
        a_verdict(transaction_id="shop:3", reasons=(far,)),
        a_verdict(transaction_id="shop:4", reasons=(far,)),
    ]
    values = [FRAUD, GENUINE, UNSURE]
    labels = [label(t, transaction_id=f"shop:{n}") for n, t in enumerate(values, 1)]
    assert label_counts_by_rule(verdicts, labels) == {
        "far": RuleLabelCounts(1, 1),
        "new": RuleLabelCounts(1, 2),
    }
