"""Track which customers' rows changed, so that an incremental snapshot writes those rows alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from fraudwatch.domain.arrays import Int64s, UInt64s
from fraudwatch.domain.features.state import CustomerArrays, CustomerRows, CustomerState


class TrackedState(CustomerState):
    """Customer state that marks each row as changed when it is looked up.

    The fold finds every row that it writes by :meth:`rows_of`, so that no change is missed; a row
    that was only looked up counts as changed too.
    """

    def __init__(self) -> None:
        super().__init__()
        self._key_of_row = np.zeros(0, dtype=np.uint64)
        self._is_changed = np.zeros(0, dtype=np.bool_)

    def rows_of(self, keys: UInt64s) -> Int64s:
        """Return the row of each customer key as :class:`CustomerState` does, and mark it."""
        found = super().rows_of(keys)
        self._fit_to_capacity()
        self._key_of_row[found] = keys
        self._is_changed[found] = True
        return found

    @property
    def changed(self) -> int:
        """Number of rows that changed since they were last taken."""
        return int(np.count_nonzero(self._is_changed))

    def take_changed(self, max_rows: int) -> CustomerArrays:
        """Copy up to this many of the changed rows; they no longer count as changed."""
        chosen = np.flatnonzero(self._is_changed)[:max_rows]
        self._is_changed[chosen] = False
        return CustomerArrays(self._key_of_row[chosen], select_rows(self.rows, chosen))

    def mark_changed(self) -> None:
        """Mark every customer's row as changed: the next snapshot writes all of them."""
        self._is_changed[: self.customers] = True

    def mark_unchanged(self) -> None:
        """Mark every row as unchanged: a snapshot on disk already has all of them."""
        self._is_changed[:] = False

    def evict_idle(self, now_ms: int) -> int:
        """Remove idle customers as :class:`CustomerState` does; the others keep their marks.

        Snapshots keep the removed ones until all rows are written anew; restored, they are idle.
        """
        changed = self._key_of_row[: self.customers][self._is_changed[: self.customers]]
        evicted = super().evict_idle(now_ms)
        if evicted:
            self._key_of_row = np.zeros(self._capacity, dtype=np.uint64)
            self._key_of_row[: self.customers] = self.keys()
            self._is_changed = np.isin(self._key_of_row, changed)
            self._is_changed[self.customers :] = False
        return evicted

    def reserve(self, customers: int) -> None:
        """Allocate rows for so many customers at once, instead of growing step by step."""
        self._reserve(customers - self.customers)

    def put(self, some: CustomerArrays) -> None:
        """Set the rows of some customers, known or new."""
        places = self.rows_of(some.keys)
        for name in CustomerRows._fields:
            getattr(self.rows, name)[places] = getattr(some.rows, name)

    def _fit_to_capacity(self) -> None:
        missing = self._capacity - len(self._is_changed)
        if missing > 0:
            self._key_of_row = np.concatenate([self._key_of_row, np.zeros(missing, np.uint64)])
            self._is_changed = np.concatenate([self._is_changed, np.zeros(missing, np.bool_)])


def select_rows(rows: CustomerRows, chosen: Any) -> CustomerRows:
    """Select rows by places, a mask or a slice."""
    fields: dict[str, Any] = {name: getattr(rows, name)[chosen] for name in CustomerRows._fields}
    return CustomerRows(**fields)
