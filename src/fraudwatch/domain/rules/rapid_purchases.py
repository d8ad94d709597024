"""Rapid purchases (velocity): too many purchases and attempts by one customer in a short time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fraudwatch.domain.rules.rule import Answers, RuleInput, answers


@dataclass(frozen=True, slots=True)
class RapidPurchases:
    """Hits when there are more than ``more_than`` within ten minutes, including this purchase.

    Failed attempts count as well: a thief makes as many attempts, successful or not. A new
    customer's counts are zero, so it answers unknown only without features.
    """

    name: ClassVar[str] = "rapid_purchases"
    points: int
    more_than: int

    def answer(self, inputs: RuleInput) -> Answers:
        counts = inputs.feature("purchase_count_10m") + inputs.feature("failed_count_10m") + 1
        return answers(counts > self.more_than, counts >= 0)

    def sentence(self, inputs: RuleInput, i: int) -> str:
        count = inputs.value("purchase_count_10m", i) + inputs.value("failed_count_10m", i) + 1
        return (
            f"{count:.0f} purchases or attempts in 10 minutes, including this one; "
            f"limit {self.more_than}."
        )
