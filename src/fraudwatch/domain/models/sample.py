"""A bounded uniform sample of rows that come by: each has the same chance, however many come.

Vitter's algorithm R. The same rows in the same order and the same seed give the same sample,
however the rows are cut into chunks.
"""

from __future__ import annotations

import numpy as np

from fraudwatch.domain.models.fitted import Float64s


class Reservoir:
    """Keeps at most so many rows."""

    def __init__(self, size: int, width: int, seed: int) -> None:
        self._rows = np.empty((size, width))
        self._random = np.random.default_rng(seed)
        self.seen = 0

    def add(self, rows: Float64s) -> None:
        """Let rows come by."""
        size = len(self._rows)
        place = self.seen + np.arange(len(rows))
        self.seen += len(rows)
        # Always one draw a row, so that chunks do not matter. A later row overwrites an earlier.
        drawn = (self._random.random(len(rows)) * (place + 1)).astype(np.int64)
        target = np.where(place < size, place, drawn)
        is_kept = target < size
        self._rows[target[is_kept]] = rows[is_kept]

    @property
    def rows(self) -> Float64s:
        """The sample so far."""
        return self._rows[: min(self.seen, len(self._rows))]
