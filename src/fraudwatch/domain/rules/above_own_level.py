"""Above own level: an amount far above this customer's baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fraudwatch.domain.rules.rule import Answers, RuleInput, all_of, answers, at_least


@dataclass(frozen=True, slots=True)
class AboveOwnLevel:
    """Hits an amount that is many times the customer's mean and many deviations above it.

    Both are needed, because even amounts make every change many deviations, and uneven amounts
    many means. Small amounts are a miss; too little history is unknown.
    """

    name: ClassVar[str] = "above_own_level"
    points: int
    at_least_times_mean: float
    at_least_deviations: float
    at_least_eur_cents: int
    at_least_purchases_30d: int

    def answer(self, inputs: RuleInput) -> Answers:
        amount, mean = inputs.amount_eur_cents, inputs.feature("own_amount_mean_eur_cents")
        deviation = inputs.feature("own_amount_deviation_eur_cents")
        bound = mean + self.at_least_deviations * deviation
        has_history = inputs.feature("purchase_count_30d") >= self.at_least_purchases_30d
        is_large = amount >= self.at_least_eur_cents
        return all_of(
            answers(is_large, np.ones_like(is_large)),
            answers(has_history, has_history),
            at_least(inputs.feature("amount_over_own_mean_ratio"), self.at_least_times_mean),
            answers(amount >= bound, ~np.isnan(bound)),
        )

    def sentence(self, inputs: RuleInput, i: int) -> str:
        amount, times = (
            inputs.amount_eur_cents[i] / 100,
            inputs.value("amount_over_own_mean_ratio", i),
        )
        mean = inputs.value("own_amount_mean_eur_cents", i) / 100
        deviation = inputs.value("own_amount_deviation_eur_cents", i) / 100
        return (
            f"Amount {amount:,.2f} EUR is {times:.1f} times this customer's mean of "
            f"{mean:,.2f} EUR (deviation {deviation:,.2f} EUR); "
            f"threshold {self.at_least_times_mean:g} times."
        )
