"""Fit the memory growth of a service by least squares, with its confidence interval.

A single pair of readings says nothing: garbage collectors make memory go up and down. Neighbouring
readings resemble each other, so they count as fewer than they are: the interval is widened by the
autocorrelation of the residuals.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fraudwatch.domain.arrays import Float64s

# Student's t for a two-sided interval of 95 %, by degrees of freedom; between two the wider one.
_T_95: Final = ((1, 12.71), (2, 4.31), (3, 3.19), (4, 2.78), (5, 2.58), (10, 2.23), (30, 2.05))
_FEWEST_READINGS: Final = 3
# Residuals that hardly change from one reading to the next would otherwise count as none at all.
_HIGHEST_CORRELATION: Final = 0.95


class GrowthVerdict(enum.StrEnum):
    """Result of comparing a growth with a bound."""

    BELOW = "below"
    ABOVE = "above"
    UNDECIDED = "undecided"  # the bound is inside the interval: only a longer run decides


@dataclass(frozen=True, slots=True)
class Growth:
    """Growth of one service in MiB an hour: 95 % of such intervals hold the true one."""

    mib_per_hour: float
    margin_mib_per_hour: float
    readings: int

    def against(self, bound_mib_per_hour: float) -> GrowthVerdict:
        """Compare the whole interval with a bound."""
        if self.mib_per_hour + self.margin_mib_per_hour < bound_mib_per_hour:
            return GrowthVerdict.BELOW
        if self.mib_per_hour - self.margin_mib_per_hour > bound_mib_per_hour:
            return GrowthVerdict.ABOVE
        return GrowthVerdict.UNDECIDED


def fit(hours: Sequence[float], mib: Sequence[float]) -> Growth:
    """Fit a line through readings of memory; two or fewer give an infinite margin.

    Args:
        hours: When each reading was taken, in order.
        mib: The readings.
    """
    count = len(hours)
    if count < _FEWEST_READINGS:
        return Growth(0.0, math.inf, count)
    at, values = np.asarray(hours, dtype=float), np.asarray(mib, dtype=float)
    at = at - at.mean()
    spread = float(at @ at)
    slope = float(at @ values) / spread
    residuals = values - values.mean() - slope * at
    squares = float(residuals @ residuals)
    repeated = _times_counted(residuals, squares)
    freedom = count / repeated - 2
    error = math.sqrt(squares / (count - 2) / spread * repeated)
    return Growth(slope, _student_t(freedom) * error, count)


def _times_counted(residuals: Float64s, squares: float) -> float:
    """Return how many neighbouring readings say the same, by their lag-1 autocorrelation."""
    if not squares:
        return 1.0
    correlation = float(residuals[1:] @ residuals[:-1]) / squares
    correlation = min(max(correlation, 0.0), _HIGHEST_CORRELATION)
    return (1 + correlation) / (1 - correlation)


def _student_t(freedom: float) -> float:
    return next((t for least, t in reversed(_T_95) if freedom >= least), _T_95[0][1])
