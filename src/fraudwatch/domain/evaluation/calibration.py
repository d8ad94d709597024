"""Measure calibration: whether of 100 purchases with a score of .7 about 70 were fraud.

The Brier score is the mean squared distance between score and label (Brier 1950); a score that
knows nothing but the base rate has that of :func:`base_rate_brier`. Slope and bins are of the
purchases from a score on: among all of them the many with a score near 0 would decide.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from fraudwatch.domain.arrays import Bools, Float64s

FROM_SCORE: Final = 0.1
"""Score from which slope and bins count: below it calibration changes no decision."""
BINS: Final = 5
_Z: Final = 1.959964
"""Of a 95 % interval of the normal distribution."""


class Interval(NamedTuple):
    """Limits of a share, both included."""

    low: float
    high: float


class ReliabilityBin(NamedTuple):
    """Purchases of neighbouring scores: predicted share of fraud, and the observed one."""

    purchases: int
    predicted: float
    observed: float
    interval: Interval
    """95 % interval of the observed share."""

    @property
    def is_inside(self) -> bool:
        """Whether the predicted share is inside the observed share's interval."""
        return self.interval.low <= self.predicted <= self.interval.high


def brier_score(score: Float64s, is_fraud: Bools) -> float:
    """Return the Brier score, lower is better; NaN without purchases."""
    return float(np.mean((score - is_fraud) ** 2)) if len(score) else float("nan")


def base_rate_brier(is_fraud: Bools) -> float:
    """Return the Brier score of the base rate given as the score of every purchase."""
    if not len(is_fraud):
        return float("nan")
    rate = float(is_fraud.mean())
    return rate * (1.0 - rate)


def calibration_slope(score: Float64s, is_fraud: Bools, from_score: float = FROM_SCORE) -> float:
    """Return the slope of the line of least squares of the labels on the scores.

    1 is calibrated; below 1 high scores are too high or low ones too low. NaN without two scores
    that differ.
    """
    chosen = score >= from_score
    if not chosen.any():
        return float("nan")
    distance = score[chosen] - score[chosen].mean()
    spread = float(distance @ distance)
    return float(distance @ is_fraud[chosen]) / spread if spread > 0 else float("nan")


def reliability_bins(
    score: Float64s, is_fraud: Bools, *, from_score: float = FROM_SCORE, bins: int = BINS
) -> list[ReliabilityBin]:
    """Return bins of equally many purchases, by rising score; fewer where purchases are fewer."""
    chosen = score >= from_score
    order = np.argsort(score[chosen], kind="stable")
    parts = np.array_split(order, bins)
    return [_bin(score[chosen][part], is_fraud[chosen][part]) for part in parts if len(part)]


def _bin(score: Float64s, is_fraud: Bools) -> ReliabilityBin:
    frauds, purchases = int(is_fraud.sum()), len(is_fraud)
    interval = wilson_interval(frauds, purchases)
    return ReliabilityBin(purchases, float(score.mean()), frauds / purchases, interval)


def wilson_interval(found: int, purchases: int) -> Interval:
    """Return the 95 % interval of a share (Wilson 1927); also sound near 0 and 1, and for few."""
    if not purchases:
        return Interval(0.0, 1.0)
    share, shrink = found / purchases, 1.0 + _Z**2 / purchases
    middle = (share + _Z**2 / (2 * purchases)) / shrink
    spread = share * (1.0 - share) / purchases + (_Z / (2 * purchases)) ** 2
    half = _Z / shrink * math.sqrt(spread)
    low = 0.0 if found == 0 else middle - half
    high = 1.0 if found == purchases else middle + half
    return Interval(low, high)
