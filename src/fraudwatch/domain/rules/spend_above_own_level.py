"""Spend above own level: a day that costs many days, whether at once or piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fraudwatch.domain.rules.rule import Answers, Float64s, Seen, all_of, answers, at_least


@dataclass(frozen=True, slots=True)
class SpendAboveOwnLevel:
    """Hits a purchase that brings the last day's spend to many times the customer's usual day.

    A thief who empties a card does it within hours, in sums that are each no surprise. The usual
    day is the mean of the days on which the customer bought, among the last 30, before this
    purchase: so it says the same of somebody known for a week and of somebody known for a year.
    Small sums are a miss; too little history is unknown.
    """

    name: ClassVar[str] = "spend_above_own_level"
    points: int
    at_least_times_usual_day: float
    at_least_eur_cents: int
    at_least_purchase_days_30d: int

    def answer(self, seen: Seen) -> Answers:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        spent = _spent_1d(seen)
        is_much = spent >= self.at_least_eur_cents
        has_history = seen.feature("purchase_days_30d") >= self.at_least_purchase_days_30d
        return all_of(
            answers(is_much, ~np.isnan(spent)),
            answers(has_history, has_history),
            at_least(_ratio(spent, _usual_day(seen)), self.at_least_times_usual_day),
        )

    def sentence(self, seen: Seen, i: int) -> str:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        spent, usual = float(_spent_1d(seen)[i]) / 100, float(_usual_day(seen)[i]) / 100
        return (
            f"With this purchase {spent:,.2f} EUR in a day, {spent / usual:.1f} times what this "
            f"customer spends on a day with purchases ({usual:,.2f} EUR); from "
            f"{self.at_least_times_usual_day:g} times on it is looked at."
        )


def _spent_1d(seen: Seen) -> Float64s:
    """The last day's spend in euro cents, this purchase included."""
    spent: Float64s = seen.feature("spend_1d_eur_cents") + seen.amount_eur_cents
    return spent


def _usual_day(seen: Seen) -> Float64s:
    """The mean spend of a day with purchases, in euro cents; NaN where there was none."""
    days = seen.feature("purchase_days_30d")
    return _ratio(seen.feature("spend_30d_eur_cents"), days)


def _ratio(part: Float64s, whole: Float64s) -> Float64s:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)
