"""Choose thresholds for a curve: exact scores at ranks that are dense at the top.

All of the first hundred ranks, then each rank 1 % above the one before it: any count of purchases
at and above a score can be met within 1 %, with some 1,300 thresholds for ten million purchases.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from fraudwatch.domain.arrays import Float64s, Int64s

_STEP_RATIO: Final = 1.01


def top_scores(scores: Float64s) -> Float64s:
    """Return scores at chosen ranks, descending, without repeats; the last is the lowest."""
    ranked = np.sort(scores)[::-1]
    return np.unique(ranked[_ranks(len(ranked)) - 1])[::-1]


def count_from(scores: Float64s, thresholds: Float64s) -> Int64s:
    """Count the scores at and above each threshold."""
    found = len(scores) - np.searchsorted(np.sort(scores), thresholds, side="left")
    return found.astype(np.int64)


def _ranks(count: int) -> Int64s:
    ranks = []
    rank = 1
    while rank < count:
        ranks.append(rank)
        rank = max(rank + 1, int(rank * _STEP_RATIO))
    return np.array([*ranks, count] if count else [], dtype=np.int64)
