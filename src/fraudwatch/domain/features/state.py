"""Keep each customer's history in memory, found by a hash table: the detector's state.

The state depends on accepted transactions alone: never on verdicts, versions or a clock. Rows are
found by the fixed 64-bit hash of the customer token, in an open-addressing table of row numbers.
"""

from __future__ import annotations

import numpy as np

from fraudwatch.domain.arrays import Bools, Int32s, Int64s, UInt64s
from fraudwatch.domain.features.catalogue import BEGINS_ANEW_MS
from fraudwatch.domain.features.compiled import compiled
from fraudwatch.domain.features.customer_rows import CustomerArrays
from fraudwatch.domain.features.packed_rows import PackedRows, Rows, forget, write_empty
from fraudwatch.domain.features.pages import grown
from fraudwatch.domain.features.row_copies import copied_rows, put_rows
from fraudwatch.domain.time_units import DAY_MS

_FIRST_CAPACITY = 1_024
_GROWTH_DIVISOR = 2
# The table has this many places a customer at least.
_PLACES = 2
# Producers stamp messages by their own clocks, so a later message may be a little older.
_EVICTION_MARGIN_MS = DAY_MS
# Removing any moves all others, so it waits until it is one of so many.
_EVICTED_OF = 16


class CustomerState:
    """All customers' rows and the hash table that finds them."""

    def __init__(self) -> None:
        self.packed = PackedRows.empty(_FIRST_CAPACITY)
        self.customers = 0
        self._is_changed = np.zeros(_FIRST_CAPACITY, dtype=np.bool_)
        # Row number plus one; 0 is a free place.
        self._table = np.zeros(_PLACES * _FIRST_CAPACITY, dtype=np.int32)

    def rows_of(self, keys: UInt64s) -> Int64s:
        """Return the row of each customer key, new rows for new customers.

        They count as changed: the fold finds every row that it writes by this.
        """
        fresh = keys[_is_new(keys, self._table, self.packed.rows)]
        self.reserve(self.customers + len(np.unique(fresh)))
        found, self.customers = _find_or_add(keys, self._table, self.packed.rows, self.customers)
        self._is_changed[found] = True
        return np.asarray(found)

    def reserve(self, customers: int) -> None:
        """Make room for so many customers."""
        capacity = len(self._is_changed)
        if customers > capacity:
            size = max(customers, capacity + capacity // _GROWTH_DIVISOR)
            self.packed = self.packed._replace(rows=grown(self.packed.rows, size))
            self._is_changed = grown(self._is_changed, size)
        if _PLACES * customers > len(self._table):
            self._table = np.zeros(1 << (_PLACES * customers).bit_length(), dtype=np.int32)
            _fill_table(self._table, self.packed.rows, self.customers)

    def reserve_pages(self, events: int) -> None:
        """Make room for all that so many events may add to lists; call before folding them."""
        self.packed = self.packed.with_pages(events)

    @property
    def nbytes(self) -> int:
        """Memory of all customers, reserved rows and pages included."""
        return self.packed.nbytes + self._is_changed.nbytes + self._table.nbytes

    @property
    def changed(self) -> int:
        """Number of customers whose rows changed since they were last taken."""
        return int(np.count_nonzero(self._is_changed[: self.customers]))

    def take_changed(self, max_rows: int | None = None) -> CustomerArrays:
        """Copy up to this many of the changed rows; they no longer count as changed."""
        chosen = np.flatnonzero(self._is_changed[: self.customers])[:max_rows]
        self._is_changed[chosen] = False
        return self.copied(chosen)

    def mark_changed(self) -> None:
        """Mark every customer's row as changed."""
        self._is_changed[: self.customers] = True

    def mark_unchanged(self) -> None:
        """Mark every customer's row as unchanged."""
        self._is_changed[:] = False

    def copied(self, rows: Int64s | None = None) -> CustomerArrays:
        """Copy these rows, or all; the copy shares no memory with the state."""
        places = np.arange(self.customers) if rows is None else rows
        return CustomerArrays(self.packed.rows["key"][places], copied_rows(self.packed, places))

    def put(self, some: CustomerArrays) -> None:
        """Set the rows of some customers, known or new, each once."""
        places = self.rows_of(some.keys)
        self.packed = put_rows(self.packed, places, some.rows)

    @classmethod
    def from_copy(cls, copy: CustomerArrays) -> CustomerState:
        """Restore a state from its copy."""
        state = cls()
        state.put(copy)
        return state

    def evict_idle(self, now_ms: int) -> int:
        """Remove customers who would begin anew with any message produced from now on.

        So it changes no feature. ``now_ms`` is the production time of a message about to be folded;
        later ones may have been produced a day before it. Rows of others move, so nobody is removed
        before a sixteenth of all are idle. The others keep their marks. Snapshots keep the removed
        ones until all rows are written anew; restored, they are idle.

        Returns:
            How many were removed.
        """
        idle_before_ms = now_ms - BEGINS_ANEW_MS - _EVICTION_MARGIN_MS
        known = self.customers
        is_idle = self.packed.rows["produced_at_ms"][:known] < idle_before_ms
        if _EVICTED_OF * np.count_nonzero(is_idle) > known:
            self.customers = _remove(is_idle, self._is_changed, self.packed)
            self._table[:] = 0
            _fill_table(self._table, self.packed.rows, self.customers)
        return known - self.customers


@compiled
def _is_new(keys: UInt64s, table: Int32s, rows: Rows) -> Bools:
    is_new = np.empty(len(keys), dtype=np.bool_)
    for i in range(len(keys)):
        is_new[i] = table[_place_of(keys[i], table, rows)] == 0
    return is_new


@compiled
def _find_or_add(keys: UInt64s, table: Int32s, rows: Rows, customers: int) -> tuple[Int64s, int]:
    found = np.empty(len(keys), dtype=np.int64)
    for i in range(len(keys)):
        place = _place_of(keys[i], table, rows)
        if table[place] == 0:
            rows[customers].key = keys[i]
            write_empty(rows[customers])
            customers += 1
            table[place] = customers
        found[i] = table[place] - 1
    return found, customers


@compiled
def _place_of(key: np.uint64, table: Int32s, rows: Rows) -> int:
    """Return the place of the key in the table, or the free one for it."""
    mask = np.uint64(len(table) - 1)
    place = key & mask
    while table[place] != 0 and rows[table[place] - 1].key != key:
        place = (place + np.uint64(1)) & mask
    return int(place)


@compiled
def _fill_table(table: Int32s, rows: Rows, customers: int) -> None:
    for row in range(customers):
        table[_place_of(rows[row].key, table, rows)] = row + 1


@compiled
def _remove(is_idle: Bools, is_changed: Bools, customers: PackedRows) -> int:
    """Remove rows, move the others together, and return how many those are."""
    kept = 0
    for row in range(len(is_idle)):
        if is_idle[row]:
            forget(customers.rows[row], customers)
        else:
            customers.rows[kept], is_changed[kept] = customers.rows[row], is_changed[row]
            kept += 1
    return kept
