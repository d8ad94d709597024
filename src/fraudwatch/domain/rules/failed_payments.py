"""Failed payments: somebody keeps trying until a payment goes through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fraudwatch.domain.rules.rule import Answers, Seen, any_of, at_least


@dataclass(frozen=True, slots=True)
class FailedPayments:
    """Hits when enough attempts before this one failed, in ten minutes or in an hour.

    Whether this one failed does not count: the purchase that goes through after them matters most.
    The counts of a customer never seen are zero, so it answers unknown only without features.
    """

    name: ClassVar[str] = "failed_payments"
    points: int
    at_least_10m: int
    at_least_1h: int

    def answer(self, seen: Seen) -> Answers:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        return any_of(
            at_least(seen.feature("failed_count_10m"), self.at_least_10m),
            at_least(seen.feature("failed_count_1h"), self.at_least_1h),
        )

    def sentence(self, seen: Seen, i: int) -> str:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        minutes, hour = seen.value("failed_count_10m", i), seen.value("failed_count_1h", i)
        return (
            f"Before this one {minutes:.0f} payments failed within ten minutes and {hour:.0f} "
            f"within an hour; it is looked at from {self.at_least_10m} or {self.at_least_1h} on."
        )
