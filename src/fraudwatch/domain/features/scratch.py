"""Arrays that the fold of one event works in, made once a batch.

They are few, because a compiled call costs time for each array that it is given.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.features.customer_rows import HOURS_OF_DAY

_SHAPE: Final = (8, 8)


class Scratch(NamedTuple):
    """Values of one event; each event writes them before it reads them."""

    tiles: Int64s  # [window, value]; see the kernels of the windows
    known: Int64s  # [kind, value]; see the kernels of the known
    hour_weight: Float64s  # [hour of day]

    @classmethod
    def empty(cls) -> Scratch:
        """Return the arrays."""
        tiles, known = np.zeros((2, *_SHAPE), dtype=np.int64)
        return cls(tiles, known, np.zeros(HOURS_OF_DAY))
