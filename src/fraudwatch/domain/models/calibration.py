"""From a raw score to a share of the training rows, which a person can read.

0.997 says: 997 of 1,000 purchases that the model learned from were less unusual.
"""

from __future__ import annotations

import numpy as np

from fraudwatch.domain.models.fitted import BrokenModel, Float64s

POINTS = 1_001  # one for each thousandth


def quantiles_of(scores: Float64s) -> Float64s:
    """The scores at every thousandth of the training rows, from the least to the greatest."""
    return np.quantile(scores, np.linspace(0.0, 1.0, POINTS))


def share_below(quantiles: Float64s, scores: Float64s) -> Float64s:
    """The share of the training rows with a smaller score, interpolated; never falls as it grows.

    A score that many rows had counts none of them.
    """
    last = len(quantiles) - 1
    upper = np.clip(np.searchsorted(quantiles, scores, side="left"), 1, last)
    low, high = quantiles[upper - 1], quantiles[upper]
    # Where both are equal the score lies outside of them: the clip below answers.
    step = np.where(high > low, high - low, 1.0)
    part = np.clip((scores - low) / step, 0.0, 1.0)
    share = (upper - 1 + part) / last
    return np.where(scores <= quantiles[0], 0.0, np.where(scores > quantiles[-1], 1.0, share))


def check_quantiles(quantiles: Float64s) -> None:
    """Refuse a calibration that could fall.

    Raises:
        BrokenModel: too few points, numbers that are none, or out of order.
    """
    is_sound = quantiles.ndim == 1 and len(quantiles) > 1 and np.isfinite(quantiles).all()
    if not is_sound or (np.diff(quantiles) < 0).any():
        raise BrokenModel("its calibration is not a rising row of numbers")
