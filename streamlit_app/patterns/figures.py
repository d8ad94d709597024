"""The numbers on top of the patterns screen, each with its change; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from streamlit_app.patterns.fold import Folded, until_last_full_hour
from streamlit_app.patterns.period import Period
from streamlit_app.patterns.rates import (
    NO_DATA,
    Change,
    change_of_count,
    change_of_ratio,
    euros,
    percent,
)

_TOO_EARLY: Final = Change("no full hour yet")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number on top of the screen."""

    label: str
    value: str
    change: Change
    meaning: str


def figures(current: Folded, before: Folded, period: Period) -> list[Figure]:
    """What was counted, beside the period before up to the same full hour."""
    now, then = current.all, until_last_full_hour(before, period.before, period)
    like_then = until_last_full_hour(current, period.current, period)
    beside = f"Beside {period.before_words}, both up to {period.now.hour:02d}:00 of the last day"

    # In the first hour after midnight there is nothing of today to hold beside yesterday.
    is_too_early = period.days == 1 and not period.now.hour

    def counted(label: str, value: str, name: str, meaning: str) -> Figure:
        change = change_of_count(
            getattr(like_then, name), getattr(then, name), is_before_known=bool(then.purchases)
        )
        change = _TOO_EARLY if is_too_early else change
        return Figure(label, value, change, f"{meaning}. {beside}: {change.words}.")

    points = change_of_ratio(now.rate.ratio, then.rate.ratio)
    was = f"{then.rate.words} ({percent(then.rate.ratio)})" if then.purchases else NO_DATA
    return [
        counted("Purchases", f"{now.purchases:,}", "purchases", "All that were judged"),
        counted("Alerts", f"{now.alerts:,}", "alerts", "Purchases that were not approved"),
        Figure(
            "Alert rate",
            percent(now.rate.ratio),
            _TOO_EARLY if is_too_early else points,
            f"{now.rate.words} purchases were alerts; {period.before_words}: {was}. "
            "The change is in percent points.",
        ),
        counted("Declined", f"{now.declined:,}", "declined", "Alerts that were declined at once"),
        counted(
            "Alerted, EUR",
            euros(now.alerts_amount_eur_cents),
            "alerts_amount_eur_cents",
            "What the alerts would have cost, reviewed and declined ones together",
        ),
        counted(
            "Declined, EUR",
            euros(now.declined_amount_eur_cents),
            "declined_amount_eur_cents",
            "What was worth so much was not paid, as it was declined at once",
        ),
    ]
