"""Map a classifier's log-odds to a calibrated probability of fraud, keeping its order.

Knots are joined by lines in log-odds. Beyond the ends the slope is 1: there the model's own odds
count. It works on log-odds, because float32 probabilities are all 1 from log-odds of 17 on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from fraudwatch.domain.arrays import Float64s

LOG_ODDS_LIMIT: Final = 30.0
"""Largest log-odds, either sign, for which probabilities are sure to keep the model's order."""
RESOLUTION: Final = 1e-6
"""Log-odds within the limit that differ by this much have different probabilities."""
SMALLEST_SLOPE: Final = 0.01
"""Of the lines between knots, so that purchases in a plateau of evidence keep their order."""
# Calibrated log-odds of a knot; evidence beyond 1 in 160,000 honest purchases decides nothing.
HIGHEST_KNOT: Final = 12.0
LOWEST_KNOT: Final = -LOG_ODDS_LIMIT
# Near a probability of 1 float64 tells apart steps of 1e-16: from here on the line is flatter, so
# that the log-odds limit is reached before the probability is 1.
_FLAT_FROM: Final = 14.0
_FLAT_SLOPE: Final = 0.1
_FAR: Final = 1_000.0
_ROUNDING: Final = 1e-12


class BrokenCalibration(ValueError):
    """Invalid calibration; the text names the reason."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibrator:
    """Strictly rising function from a model's log-odds to a probability."""

    log_odds: Float64s  # [knot] of the model, rising
    calibrated: Float64s  # [knot] log-odds of the share that was fraud, rising

    def __post_init__(self) -> None:
        check_calibrator(self)

    def probability(self, log_odds: Float64s) -> Float64s:
        """Return the calibrated probability of fraud; NaN stays NaN."""
        return probability_of(self._calibrated_log_odds(np.asarray(log_odds, dtype=np.float64)))

    def _calibrated_log_odds(self, log_odds: Float64s) -> Float64s:
        knots, values = self._with_ends()
        upper = np.clip(np.searchsorted(knots, log_odds, side="right"), 1, len(knots) - 1)
        low, high = knots[upper - 1], knots[upper]
        rise = (values[upper] - values[upper - 1]) / (high - low)
        line = values[upper - 1] + rise * (log_odds - low)
        # A rounding error at the end of a line must not reverse the order.
        bent: Float64s = np.where(log_odds < high, np.minimum(line, values[upper]), line)
        return bent

    def _with_ends(self) -> tuple[Float64s, Float64s]:
        """Return the knots, and those of the lines before the first and after the last."""
        first, last = self.log_odds[0], self.log_odds[-1]
        flat_at = last + _FLAT_FROM - self.calibrated[-1]
        knots = [first - _FAR, *self.log_odds, flat_at, flat_at + _FAR]
        flat_until = _FLAT_FROM + _FLAT_SLOPE * _FAR
        return np.array(knots), np.array(
            [self.calibrated[0] - _FAR, *self.calibrated, _FLAT_FROM, flat_until]
        )


def probability_of(log_odds: Float64s) -> Float64s:
    """Return the logistic function in float64, with all digits on both sides."""
    smaller = np.exp(-np.abs(log_odds))
    below_half = smaller / (1.0 + smaller)
    return np.where(log_odds > 0, 1.0 - below_half, below_half)


def log_odds_of(probability: Float64s) -> Float64s:
    """Return the log-odds of probabilities between 0 and 1."""
    return np.log(probability) - np.log1p(-probability)


def check_calibrator(calibrator: Calibrator) -> None:
    """Check that a calibrator's knots rise strictly and stay within their limits.

    Raises:
        BrokenCalibration: knots are missing, not finite, out of order, too flat or out of range.
    """
    knots, values = calibrator.log_odds, calibrator.calibrated
    is_a_row = knots.ndim == 1 and len(knots) > 0 and values.shape == knots.shape
    if not is_a_row or not (np.isfinite(knots).all() and np.isfinite(values).all()):
        raise BrokenCalibration("its knots are not two equally long rows of finite numbers")
    steps, rises = np.diff(knots), np.diff(values)
    if (np.minimum(steps, rises) <= 0).any() or (rises < SMALLEST_SLOPE * steps - _ROUNDING).any():
        raise BrokenCalibration(
            f"its knots do not rise by a slope of at least {SMALLEST_SLOPE:g}, so different "
            "purchases could get equal scores"
        )
    if np.abs(knots).max() > LOG_ODDS_LIMIT:
        raise BrokenCalibration(f"a knot is beyond log-odds of {LOG_ODDS_LIMIT:g}")
    if values[0] < LOWEST_KNOT or values[-1] >= _FLAT_FROM:
        raise BrokenCalibration(
            f"calibrated log-odds are not from {LOWEST_KNOT:g} to below {_FLAT_FROM:g}"
        )
