"""Spend above own level: a day's spend far above the customer's baseline, at once or in parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.rules.rule import Answers, RuleInput, all_of, answers, at_least


@dataclass(frozen=True, slots=True)
class SpendAboveOwnLevel:
    """Hits a purchase that brings the last day's spend to many times the customer's usual day.

    A thief who empties a card does it within hours, in amounts that are each unsuspicious. The
    usual day is the mean of the days with purchases among the last 30, before this purchase: so it
    means the same for a customer of a week and for a customer of a year. Small sums are a miss; too
    little history is unknown.
    """

    name: ClassVar[str] = "spend_above_own_level"
    points: int
    at_least_times_usual_day: float
    at_least_eur_cents: int
    at_least_purchase_days_30d: int

    def answer(self, inputs: RuleInput) -> Answers:
        spent = _spent_1d(inputs)
        is_large = spent >= self.at_least_eur_cents
        has_history = inputs.feature("purchase_days_30d") >= self.at_least_purchase_days_30d
        return all_of(
            answers(is_large, ~np.isnan(spent)),
            answers(has_history, has_history),
            at_least(_ratio(spent, _usual_day(inputs)), self.at_least_times_usual_day),
        )

    def sentence(self, inputs: RuleInput, i: int) -> str:
        spent, usual = float(_spent_1d(inputs)[i]) / 100, float(_usual_day(inputs)[i]) / 100
        return (
            f"Spend of {spent:,.2f} EUR in 1 day, including this purchase, is {spent / usual:.1f} "
            f"times this customer's usual day of {usual:,.2f} EUR; "
            f"threshold {self.at_least_times_usual_day:g} times."
        )


def _spent_1d(inputs: RuleInput) -> Float64s:
    """Return the last day's spend in euro cents, including this purchase."""
    spent: Float64s = inputs.feature("spend_1d_eur_cents") + inputs.amount_eur_cents
    return spent


def _usual_day(inputs: RuleInput) -> Float64s:
    """Return the mean spend of a day with purchases, in euro cents; NaN where there was none."""
    days = inputs.feature("purchase_days_30d")
    return _ratio(inputs.feature("spend_30d_eur_cents"), days)


def _ratio(part: Float64s, whole: Float64s) -> Float64s:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)
