"""A label counts; silence counts only where somebody could have complained."""

from __future__ import annotations

import pytest

from fraudwatch.domain.messages.label import LabelValue
from fraudwatch.domain.messages.purchase import PaymentStatus
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.training.label_truth import DeclineCounts, LeftOut, Truth, truth_of


@pytest.mark.parametrize("outcome", [*Outcome, None])
@pytest.mark.parametrize("status", [*PaymentStatus])
def test_a_label_counts_whatever_was_decided(outcome: str | None, status: str) -> None:
    assert truth_of(LabelValue.FRAUD, outcome, status) is Truth.FRAUD
    assert truth_of(LabelValue.GENUINE, outcome, status) is Truth.GENUINE
    assert truth_of(LabelValue.UNSURE, outcome, status) is LeftOut.UNSURE


@pytest.mark.parametrize(
    ("outcome", "status", "truth"),
    [
        (Outcome.APPROVE, PaymentStatus.APPROVED, Truth.GENUINE),
        (Outcome.REVIEW, PaymentStatus.APPROVED, Truth.GENUINE),
        (None, PaymentStatus.APPROVED, Truth.GENUINE),
        (Outcome.DECLINE, PaymentStatus.APPROVED, LeftOut.DECLINED_UNLABELLED),
        (Outcome.DECLINE, PaymentStatus.FAILED, LeftOut.DECLINED_UNLABELLED),
        (Outcome.APPROVE, PaymentStatus.DECLINED, LeftOut.FAILED_UNLABELLED),
        (None, PaymentStatus.FAILED, LeftOut.FAILED_UNLABELLED),
        (Outcome.APPROVE, None, LeftOut.FAILED_UNLABELLED),
    ],
)
def test_silence_is_genuine_only_where_money_moved(
    outcome: Outcome | None, status: PaymentStatus | None, truth: Truth | LeftOut
) -> None:
    assert truth_of(None, outcome, status) is truth


def test_the_precision_of_declines_is_not_measurable_without_a_label() -> None:
    unknown = DeclineCounts(declined=7, labelled=0, frauds=0)
    assert unknown.precision is None
    assert unknown.sentence.startswith("precision of declines: not measurable")
    known = DeclineCounts(declined=7, labelled=4, frauds=3)
    assert known.precision == 0.75
    assert known.sentence == (
        "precision of declines: 0.750 of 4 with a label, among 7 declined purchases"
    )
