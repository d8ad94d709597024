"""Sample a stream of rows uniformly, in bounded memory: each row has the same chance.

Vitter's algorithm R. The same rows in the same order and the same seed give the same sample,
however the rows are cut into chunks.
"""

from __future__ import annotations

import numpy as np

from fraudwatch.domain.arrays import Float64s


class Reservoir:
    """Reservoir of at most ``size`` rows."""

    def __init__(self, size: int, width: int, seed: int) -> None:
        self._rows = np.empty((size, width))
        self._random = np.random.default_rng(seed)
        self.rows_offered = 0

    def add(self, rows: Float64s) -> None:
        """Offer rows to the sample."""
        size = len(self._rows)
        number = self.rows_offered + np.arange(len(rows))
        self.rows_offered += len(rows)
        # Always one draw a row, so that chunks do not matter. A later row overwrites an earlier.
        drawn = (self._random.random(len(rows)) * (number + 1)).astype(np.int64)
        target = np.where(number < size, number, drawn)
        is_kept = target < size
        self._rows[target[is_kept]] = rows[is_kept]

    @property
    def rows(self) -> Float64s:
        """Return the sample so far."""
        return self._rows[: min(self.rows_offered, len(self._rows))]
