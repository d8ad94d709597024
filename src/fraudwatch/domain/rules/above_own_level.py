"""Above own level: dear for this customer, even if not for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fraudwatch.domain.rules.rule import Answers, Seen, all_of, answers, at_least


@dataclass(frozen=True, slots=True)
class AboveOwnLevel:
    """Hits an amount that is many times the customer's mean and many deviations above it.

    Both, because a customer of even amounts leaves the deviations at once, and one of uneven
    amounts the mean. Small amounts are a miss; too little history is unknown.
    """

    name: ClassVar[str] = "above_own_level"
    points: int
    at_least_times_mean: float
    at_least_deviations: float
    at_least_eur_cents: int
    at_least_purchases_30d: int

    def answer(self, seen: Seen) -> Answers:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        amount, mean = seen.amount_eur_cents, seen.feature("own_amount_mean_eur_cents")
        deviation = seen.feature("own_amount_deviation_eur_cents")
        bound = mean + self.at_least_deviations * deviation
        has_history = seen.feature("purchase_count_30d") >= self.at_least_purchases_30d
        is_dear = amount >= self.at_least_eur_cents
        return all_of(
            answers(is_dear, np.ones_like(is_dear)),
            answers(has_history, has_history),
            at_least(seen.feature("amount_over_own_mean_ratio"), self.at_least_times_mean),
            answers(amount >= bound, ~np.isnan(bound)),
        )

    def sentence(self, seen: Seen, i: int) -> str:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        amount, times = seen.amount_eur_cents[i] / 100, seen.value("amount_over_own_mean_ratio", i)
        mean = seen.value("own_amount_mean_eur_cents", i) / 100
        deviation = seen.value("own_amount_deviation_eur_cents", i) / 100
        return (
            f"{amount:,.2f} EUR is {times:.1f} times what this customer spends at a time "
            f"(mean {mean:,.2f} EUR, deviation {deviation:,.2f} EUR); "
            f"from {self.at_least_times_mean:g} times on it is looked at."
        )
