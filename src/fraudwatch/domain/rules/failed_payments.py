"""Failed payments: repeated attempts until a payment goes through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fraudwatch.domain.rules.rule import Answers, RuleInput, any_of, at_least


@dataclass(frozen=True, slots=True)
class FailedPayments:
    """Hits when enough attempts before this one failed, in ten minutes or in an hour.

    Whether this one failed does not count: the purchase that goes through after them matters most.
    A new customer's counts are zero, so it answers unknown only without features.
    """

    name: ClassVar[str] = "failed_payments"
    points: int
    at_least_10m: int
    at_least_1h: int

    def answer(self, inputs: RuleInput) -> Answers:
        return any_of(
            at_least(inputs.feature("failed_count_10m"), self.at_least_10m),
            at_least(inputs.feature("failed_count_1h"), self.at_least_1h),
        )

    def sentence(self, inputs: RuleInput, i: int) -> str:
        minutes, hour = inputs.value("failed_count_10m", i), inputs.value("failed_count_1h", i)
        return (
            f"Failed payments before this one: {minutes:.0f} in 10 minutes, {hour:.0f} in 1 hour; "
            f"threshold {self.at_least_10m} or {self.at_least_1h}."
        )
