"""Select purchases of days that something saw whole: half a day is no fair count of a day."""

from __future__ import annotations

from typing import Final

import numpy as np

from fraudwatch.domain.arrays import Bools, Int64s

COVERED_RATIO: Final = 0.95
"""At least this share of a day's purchases must be covered."""


def on_whole_days(day: Int64s, is_covered: Bools) -> Bools:
    """Select the covered purchases of days on which nearly all are covered."""
    if not len(day):
        return is_covered
    _, place = np.unique(day, return_inverse=True)
    ratio = np.bincount(place, weights=is_covered) / np.bincount(place)
    found: Bools = is_covered & (ratio[place] >= COVERED_RATIO)
    return found
