"""Risky merchant: too much of what was bought there lately turned out to be fraud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fraudwatch.domain.rules.rule import Answers, Seen, all_of, at_least


@dataclass(frozen=True, slots=True)
class RiskyMerchant:
    """Hits from a share of known fraud on, at merchants with enough purchases to have one.

    What is known comes from a risk view: without one, or at a merchant that it does not know, the
    answer is unknown.
    """

    name: ClassVar[str] = "risky_merchant"
    points: int
    fraud_at_least_ratio: float
    at_least_purchases_30d: int

    def answer(self, seen: Seen) -> Answers:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        return all_of(
            at_least(seen.feature("merchant_fraud_ratio_30d"), self.fraud_at_least_ratio),
            at_least(seen.feature("merchant_purchases_30d"), self.at_least_purchases_30d),
        )

    def sentence(self, seen: Seen, i: int) -> str:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        ratio = seen.value("merchant_fraud_ratio_30d", i)
        count = seen.value("merchant_purchases_30d", i)
        return (
            f"About {ratio:.1%} of the purchases at this merchant turned out to be fraud "
            f"({count:,.0f} in 30 days); from {self.fraud_at_least_ratio:.1%} on it is looked at."
        )
