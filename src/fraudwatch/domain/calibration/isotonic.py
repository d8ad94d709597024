"""Isotonic regression: the rising steps nearest to a row of values (pool adjacent violators).

Ayer, Brunk, Ewing, Reid, Silverman 1955; linear time with a stack of blocks.
"""

from __future__ import annotations

import numpy as np

from fraudwatch.domain.arrays import Float64s, Int64s


def rising_blocks(values: Float64s, weights: Float64s) -> Int64s:
    """Return the first index of each block: neighbours are pooled until their means rise strictly.

    Args:
        values: In the order along which they should rise.
        weights: Positive; a block's value is the mean by these weights.
    """
    starts: list[int] = []
    means: list[float] = []
    totals: list[float] = []
    for start, (value, weight) in enumerate(zip(values.tolist(), weights.tolist(), strict=True)):
        begin, mean, total = start, value, weight
        while means and means[-1] >= mean:
            pooled = totals[-1] + total
            mean = (means.pop() * totals[-1] + mean * total) / pooled
            begin, total = starts.pop(), pooled
            totals.pop()
        starts.append(begin)
        means.append(mean)
        totals.append(total)
    return np.array(starts, dtype=np.int64)
