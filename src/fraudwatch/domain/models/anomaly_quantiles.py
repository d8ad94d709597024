"""Map raw anomaly scores to quantiles of the training rows.

0.997 means: 997 of 1,000 purchases in the training set were less unusual.
"""

from __future__ import annotations

import numpy as np

from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.models.fitted import BrokenModel

POINTS = 1_001  # one for each thousandth


def quantiles_of(scores: Float64s) -> Float64s:
    """Return the scores at every thousandth of the training rows, in ascending order."""
    return np.quantile(scores, np.linspace(0.0, 1.0, POINTS))


def share_below(quantiles: Float64s, scores: Float64s) -> Float64s:
    """Return the share of training rows with a smaller score, interpolated and monotonic.

    Rows of equal score do not count.
    """
    last = len(quantiles) - 1
    upper = np.clip(np.searchsorted(quantiles, scores, side="left"), 1, last)
    low, high = quantiles[upper - 1], quantiles[upper]
    # Where both are equal the score is outside of them: the clip below decides.
    step = np.where(high > low, high - low, 1.0)
    part = np.clip((scores - low) / step, 0.0, 1.0)
    share = (upper - 1 + part) / last
    return np.where(scores <= quantiles[0], 0.0, np.where(scores > quantiles[-1], 1.0, share))


def check_quantiles(quantiles: Float64s) -> None:
    """Check that quantiles never fall.

    Raises:
        BrokenModel: too few points, not finite, or out of order.
    """
    is_sound = quantiles.ndim == 1 and len(quantiles) > 1 and np.isfinite(quantiles).all()
    if not is_sound or (np.diff(quantiles) < 0).any():
        raise BrokenModel("its anomaly quantiles are not a rising row of numbers")
