"""Risky merchant: a high share of recent purchases at the merchant was fraud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fraudwatch.domain.rules.rule import Answers, RuleInput, all_of, at_least


@dataclass(frozen=True, slots=True)
class RiskyMerchant:
    """Hits from a share of known fraud, at merchants with enough purchases for a ratio.

    The ratio comes from a risk view: without a view, or for a merchant that is not in it, the
    answer is unknown.
    """

    name: ClassVar[str] = "risky_merchant"
    points: int
    fraud_at_least_ratio: float
    at_least_purchases_30d: int

    def answer(self, inputs: RuleInput) -> Answers:
        return all_of(
            at_least(inputs.feature("merchant_fraud_ratio_30d"), self.fraud_at_least_ratio),
            at_least(inputs.feature("merchant_purchases_30d"), self.at_least_purchases_30d),
        )

    def sentence(self, inputs: RuleInput, i: int) -> str:
        ratio = inputs.value("merchant_fraud_ratio_30d", i)
        count = inputs.value("merchant_purchases_30d", i)
        return (
            f"Fraud ratio of this merchant about {ratio:.1%} ({count:,.0f} purchases in 30 days); "
            f"threshold {self.fraud_at_least_ratio:.1%}."
        )
