"""Figures at the top of the patterns page, each with its change; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from streamlit_app.patterns.period import Period
from streamlit_app.patterns.rates import (
    NO_DATA,
    Change,
    change_of_count,
    change_of_ratio,
    euros,
    percent,
)
from streamlit_app.patterns.tally_sums import TallySums, until_last_full_hour

_TOO_EARLY: Final = Change("no full hour yet")


@dataclass(frozen=True, slots=True)
class PanelFigure:
    """One figure at the top of the page."""

    label: str
    value: str
    change: Change
    meaning: str


def figures(current: TallySums, before: TallySums, period: Period) -> list[PanelFigure]:
    """Count the period, and compare it with the period before up to the same full hour."""
    now, previous = current.all, until_last_full_hour(before, period.before, period)
    same_span = until_last_full_hour(current, period.current, period)
    compared = (
        f"Compared with {period.before_words}, both up to {period.now.hour:02d}:00 of the last day"
    )

    # In the first hour after midnight there is no full hour of today to compare.
    is_too_early = period.days == 1 and not period.now.hour

    def counted(label: str, value: str, name: str, meaning: str) -> PanelFigure:
        change = change_of_count(
            getattr(same_span, name),
            getattr(previous, name),
            is_before_known=bool(previous.purchases),
        )
        change = _TOO_EARLY if is_too_early else change
        return PanelFigure(label, value, change, f"{meaning}. {compared}: {change.words}.")

    points = change_of_ratio(now.rate.ratio, previous.rate.ratio)
    was = (
        f"{previous.rate.words} ({percent(previous.rate.ratio)})" if previous.purchases else NO_DATA
    )
    return [
        counted("Purchases", f"{now.purchases:,}", "purchases", "All scored purchases"),
        counted("Alerts", f"{now.alerts:,}", "alerts", "Purchases that were not approved"),
        PanelFigure(
            "Alert rate",
            percent(now.rate.ratio),
            _TOO_EARLY if is_too_early else points,
            f"{now.rate.words} purchases were alerts; {period.before_words}: {was}. "
            "The change is in percent points.",
        ),
        counted("Declined", f"{now.declined:,}", "declined", "Alerts with outcome decline"),
        counted(
            "Alerted, EUR",
            euros(now.alerts_amount_eur_cents),
            "alerts_amount_eur_cents",
            "Total amount of all alerts, review and decline",
        ),
        counted(
            "Declined, EUR",
            euros(now.declined_amount_eur_cents),
            "declined_amount_eur_cents",
            "Total amount of declined purchases",
        ),
    ]
