"""Rates with confidence intervals, and changes as texts; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

# With fewer, one alert more or less moves the rate by over three percentage points.
TOO_FEW: Final = 30
_Z_95: Final = 1.959964  # of the normal distribution, two-sided
UNKNOWN: Final = "—"
NO_DATA: Final = "no data"
NO_DATA_BEFORE: Final = "no data before"

Arrow = Literal["up", "down", "off"]


@dataclass(frozen=True, slots=True)
class HitRate:
    """Share of hits among a number of purchases."""

    hits: int
    of: int

    @property
    def ratio(self) -> float:
        """Share; NaN without purchases."""
        return self.hits / self.of if self.of else math.nan

    @property
    def has_enough(self) -> bool:
        """Whether there are enough purchases for a rate."""
        return self.of >= TOO_FEW

    @property
    def interval(self) -> tuple[float, float]:
        """95 % confidence interval of the share; NaN without purchases.

        The score interval of Wilson (1927, JASA 22, 209-212): valid for small counts too, where
        the normal approximation goes below zero.
        """
        if not self.of:
            return math.nan, math.nan
        share, z2 = self.ratio, _Z_95**2 / self.of
        middle = (share + z2 / 2) / (1 + z2)
        half = math.sqrt(z2 * (share * (1 - share) + z2 / 4)) / (1 + z2)
        return max(0.0, middle - half), min(1.0, middle + half)

    @property
    def words(self) -> str:
        """Counts as text: ``12 of 340``."""
        return f"{self.hits:,} of {self.of:,}"


@dataclass(frozen=True, slots=True)
class Change:
    """Change of a figure from the period before, as text, and the direction of its arrow."""

    words: str
    arrow: Arrow = "off"


def change_of_count(now: int, before: int, *, is_before_known: bool) -> Change:
    """Change of a count in percent."""
    if not is_before_known:
        return Change(NO_DATA_BEFORE)
    if now == before:
        return Change("unchanged")
    arrow: Arrow = "up" if now > before else "down"
    if not before:
        return Change("up from 0", arrow)
    return Change(f"{arrow} {abs(now - before) / before:,.1%}".replace("%", " %"), arrow)


def change_of_ratio(now: float, before: float, *, unknown: str = NO_DATA_BEFORE) -> Change:
    """Change of a share in percentage points; ``unknown`` is the text for no previous share."""
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
    """Percentage as text: ``2.45 %``, with one decimal from 10 % on."""
    if math.isnan(ratio):
        return UNKNOWN
    return f"{ratio * 100:.{1 if ratio >= 0.1 else 2}f} %"  # noqa: PLR2004  ten percent


def euros(eur_cents: int) -> str:
    """Amount in whole euros: ``1,234``."""
    return f"{eur_cents / 100:,.0f}"
