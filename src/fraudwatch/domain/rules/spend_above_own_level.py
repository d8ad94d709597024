"""Spend above own level: a day that costs many days, whether at once or piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from fraudwatch.domain.rules.rule import Answers, Float64s, Seen, all_of, answers, at_least

_EARLIER_DAYS: Final = 29


@dataclass(frozen=True, slots=True)
class SpendAboveOwnLevel:
    """Hits a purchase that brings the last day's spend to many times the customer's usual day.

    A thief who empties a card does it within hours, in sums that are each no surprise. The usual
    day is the mean over the 29 days before the last one, days without a purchase included. Small
    sums are a miss; too little history is unknown, and so is a usual day of nothing.
    """

    name: ClassVar[str] = "spend_above_own_level"
    points: int
    at_least_times_usual_day: float
    at_least_eur_cents: int
    at_least_purchases_30d: int

    def answer(self, seen: Seen) -> Answers:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        spent = _spent_1d(seen)
        is_much = spent >= self.at_least_eur_cents
        has_history = seen.feature("purchase_count_30d") >= self.at_least_purchases_30d
        return all_of(
            answers(is_much, ~np.isnan(spent)),
            answers(has_history, has_history),
            at_least(_times(spent, _usual_day(seen)), self.at_least_times_usual_day),
        )

    def sentence(self, seen: Seen, i: int) -> str:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        spent, usual = float(_spent_1d(seen)[i]) / 100, float(_usual_day(seen)[i]) / 100
        return (
            f"With this purchase {spent:,.2f} EUR in a day, {spent / usual:.1f} times this "
            f"customer's usual day ({usual:,.2f} EUR); from {self.at_least_times_usual_day:g} "
            "times on it is looked at."
        )


def _spent_1d(seen: Seen) -> Float64s:
    """The last day's spend in euro cents, this purchase included."""
    spent: Float64s = seen.feature("spend_1d_eur_cents") + seen.amount_eur_cents
    return spent


def _usual_day(seen: Seen) -> Float64s:
    earlier = seen.feature("spend_30d_eur_cents") - seen.feature("spend_1d_eur_cents")
    usual: Float64s = earlier / _EARLIER_DAYS
    return usual


def _times(spent: Float64s, usual: Float64s) -> Float64s:
    return np.divide(spent, usual, out=np.full_like(spent, np.nan), where=usual > 0)
