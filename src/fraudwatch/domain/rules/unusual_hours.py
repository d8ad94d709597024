"""Unusual hours: an hour of the day in which this customer hardly ever buys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fraudwatch.domain.rules.rule import Answers, RuleInput, answers


@dataclass(frozen=True, slots=True)
class UnusualHours:
    """Hits when less than a share of the customer's purchases fall in this hour of the day (UTC).

    A baseline needs purchases: with too few in 30 days it answers unknown.
    """

    name: ClassVar[str] = "unusual_hours"
    points: int
    share_below_ratio: float
    at_least_purchases_30d: int

    def answer(self, inputs: RuleInput) -> Answers:
        share = inputs.feature("own_hour_share_ratio")
        has_history = inputs.feature("purchase_count_30d") >= self.at_least_purchases_30d
        return answers(share < self.share_below_ratio, has_history & (share >= 0))

    def sentence(self, inputs: RuleInput, i: int) -> str:
        hour, share = inputs.value("hour_of_day", i), inputs.value("own_hour_share_ratio", i)
        count = inputs.value("purchase_count_30d", i)
        return (
            f"{share:.2%} of this customer's purchases are in the hour from {hour:02.0f}:00 UTC "
            f"({count:,.0f} purchases in 30 days); minimum {self.share_below_ratio:.2%}."
        )
