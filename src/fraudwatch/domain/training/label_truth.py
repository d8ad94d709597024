"""Label truth: decide whether a purchase trains as fraud, as genuine, or is left out.

A label counts whatever was decided about the purchase. A purchase without a label counts as genuine
because nobody complained; that says nothing where nobody could: what we declined was not sold, and
a payment that the bank declined or that failed moved no money. Neither can ever be charged back.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from fraudwatch.domain.messages.label import LabelValue
from fraudwatch.domain.messages.purchase import PaymentStatus
from fraudwatch.domain.messages.verdict import Outcome

NOT_MEASURABLE = "precision of declines: not measurable"


class LeftOut(enum.StrEnum):
    """Why a purchase is neither fraud nor genuine."""

    UNSURE = "unsure"
    DECLINED_UNLABELLED = "declined_unlabelled"
    FAILED_UNLABELLED = "failed_unlabelled"


class Truth(enum.StrEnum):
    """Class of a purchase in training and in both sides of the gate."""

    FRAUD = "fraud"
    GENUINE = "genuine"


def truth_of(
    label: LabelValue | None, outcome: str | None, payment_status: str | None
) -> Truth | LeftOut:
    """Return the truth about a purchase that is older than the label delay.

    Args:
        label: The label in effect; None: there is none.
        outcome: Of our verdict; None: it has no verdict.
        payment_status: Answer of the payment system.
    """
    if label is LabelValue.UNSURE:
        return LeftOut.UNSURE
    if label is not None:
        return Truth(label)
    if outcome == Outcome.DECLINE:
        return LeftOut.DECLINED_UNLABELLED
    if payment_status != PaymentStatus.APPROVED:
        return LeftOut.FAILED_UNLABELLED
    return Truth.GENUINE


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineCounts:
    """Purchases that we declined, those of them with a label, and the frauds among these."""

    declined: int
    labelled: int
    frauds: int

    @property
    def precision(self) -> float | None:
        """Return the share of frauds among those with a label; None: not measurable."""
        return self.frauds / self.labelled if self.labelled else None

    @property
    def sentence(self) -> str:
        """Return the precision of declines in words."""
        if self.precision is None:
            return f"{NOT_MEASURABLE} (none of {self.declined} declined purchases has a label)"
        return (
            f"precision of declines: {self.precision:.3f} of {self.labelled} with a label, among "
            f"{self.declined} declined purchases"
        )
