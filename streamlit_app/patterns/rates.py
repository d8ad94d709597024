"""Rates that say how sure they are, and changes in words; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

# With fewer, one alert more or less moves the rate by over three percent points.
TOO_FEW: Final = 30
_Z_95: Final = 1.959964  # of the normal distribution, two-sided
UNKNOWN: Final = "—"
NO_DATA: Final = "no data"
NO_DATA_BEFORE: Final = "no data before"

Arrow = Literal["up", "down", "off"]


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of so many."""

    hits: int
    of: int

    @property
    def ratio(self) -> float:
        """The share; NaN of nothing."""
        return self.hits / self.of if self.of else math.nan

    @property
    def is_sure(self) -> bool:
        """Whether there are enough to say anything."""
        return self.of >= TOO_FEW

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share lies in 95 of 100 such cases; NaN of nothing.

        The score interval of Wilson (1927, JASA 22, 209-212): right for small counts too, where
        the usual "plus or minus" goes below zero.
        """
        if not self.of:
            return math.nan, math.nan
        share, z2 = self.ratio, _Z_95**2 / self.of
        middle = (share + z2 / 2) / (1 + z2)
        half = math.sqrt(z2 * (share * (1 - share) + z2 / 4)) / (1 + z2)
        return max(0.0, middle - half), min(1.0, middle + half)

    @property
    def words(self) -> str:
        """``12 of 340``: what the share rests on."""
        return f"{self.hits:,} of {self.of:,}"


@dataclass(frozen=True, slots=True)
class Change:
    """How a figure stands beside the period before, and which way an arrow points."""

    words: str
    arrow: Arrow = "off"


def change_of_count(now: int, before: int, *, is_before_known: bool) -> Change:
    """By how many percent a count went up or down."""
    if not is_before_known:
        return Change(NO_DATA_BEFORE)
    if now == before:
        return Change("unchanged")
    arrow: Arrow = "up" if now > before else "down"
    if not before:
        return Change("up from 0", arrow)
    return Change(f"{arrow} {abs(now - before) / before:,.1%}".replace("%", " %"), arrow)


def change_of_ratio(now: float, before: float, *, unknown: str = NO_DATA_BEFORE) -> Change:
    """By how many percent points a share went up or down; ``unknown`` says why it is not told."""
    if math.isnan(before):
        return Change(unknown)
    if math.isnan(now):
        return Change(f"was {percent(before)}")
    points = round((now - before) * 100, 2)
    if not points:
        return Change("unchanged")
    arrow: Arrow = "up" if points > 0 else "down"
    return Change(f"{arrow} {abs(points):.2f} points", arrow)


def percent(ratio: float) -> str:
    """``2.45 %``; fewer decimals where they say nothing."""
    if math.isnan(ratio):
        return UNKNOWN
    return f"{ratio * 100:.{1 if ratio >= 0.1 else 2}f} %"  # noqa: PLR2004  ten percent


def euros(eur_cents: int) -> str:
    """``1,234``: whole euros, as nobody reads the cents of a sum."""
    return f"{eur_cents / 100:,.0f}"
