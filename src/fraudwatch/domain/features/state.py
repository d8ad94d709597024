"""What is remembered of each customer: arrays with one row per customer, and nothing else.

The state depends on accepted transactions alone: never on verdicts, versions or a clock. Rows are
found by the fixed 64-bit hash of the customer token, in an open-addressing table.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from fraudwatch.domain.features.catalogue import WINDOWS

RECENT_IDS = 64
NEVER_MS = -1
# A window of k whole tiles needs k + 1 slots: the current tile has one as well.
SLOTS_OF_WINDOW = np.array([w.tiles + 1 for w in WINDOWS], dtype=np.int64)
FIRST_SLOT_OF_WINDOW = np.concatenate(([0], np.cumsum(SLOTS_OF_WINDOW)[:-1]))
TILE_MS_OF_WINDOW = np.array([w.tile_ms for w in WINDOWS], dtype=np.int64)
_ALL_SLOTS = int(SLOTS_OF_WINDOW.sum())
_FIRST_CAPACITY = 1_024
_FREE = np.int64(-1)

Int64s = npt.NDArray[np.int64]


class CustomerRows(NamedTuple):
    """The arrays themselves, as the compiled fold takes them; the first axis is the row."""

    tile_head: Int64s  # [row, window] number of the current tile, -1 never
    purchase_count: npt.NDArray[np.int32]  # [row, slot]
    spend_eur_cents: Int64s  # [row, slot]
    failed_count: npt.NDArray[np.int32]  # [row, slot]
    last_event_ms: Int64s  # [row]
    located_ms: Int64s  # [row]
    located_latitude: npt.NDArray[np.float64]  # [row]
    located_longitude: npt.NDArray[np.float64]  # [row]
    recent_ids: npt.NDArray[np.uint64]  # [row, RECENT_IDS], a ring
    recent_count: Int64s  # [row] ids ever put into the ring

    @classmethod
    def empty(cls, rows: int) -> CustomerRows:
        """Rows of customers of whom nothing is known."""
        return cls(
            tile_head=np.full((rows, len(WINDOWS)), NEVER_MS, dtype=np.int64),
            purchase_count=np.zeros((rows, _ALL_SLOTS), dtype=np.int32),
            spend_eur_cents=np.zeros((rows, _ALL_SLOTS), dtype=np.int64),
            failed_count=np.zeros((rows, _ALL_SLOTS), dtype=np.int32),
            last_event_ms=np.full(rows, NEVER_MS, dtype=np.int64),
            located_ms=np.full(rows, NEVER_MS, dtype=np.int64),
            located_latitude=np.full(rows, np.nan),
            located_longitude=np.full(rows, np.nan),
            recent_ids=np.zeros((rows, RECENT_IDS), dtype=np.uint64),
            recent_count=np.zeros(rows, dtype=np.int64),
        )

    def followed_by(self, more: CustomerRows) -> CustomerRows:
        """These rows with ``more`` behind them."""
        pairs = ((getattr(self, name), getattr(more, name)) for name in self._fields)
        return CustomerRows(*(np.concatenate(pair) for pair in pairs))


class CustomerState:
    """All customers' rows and the table that finds them."""

    def __init__(self) -> None:
        self.rows = CustomerRows.empty(_FIRST_CAPACITY)
        self.customers = 0
        self._capacity = _FIRST_CAPACITY
        self._table_keys = np.zeros(4 * _FIRST_CAPACITY, dtype=np.uint64)
        self._table_rows = np.full(4 * _FIRST_CAPACITY, _FREE)

    def rows_of(self, keys: npt.NDArray[np.uint64]) -> Int64s:
        """The row of each customer key, new rows for new customers."""
        self._make_room(len(np.unique(keys)))
        found, self.customers = _find_or_add(
            keys, self._table_keys, self._table_rows, self.customers
        )
        return np.asarray(found)

    def _make_room(self, newcomers: int) -> None:
        needed = self.customers + newcomers
        if needed <= self._capacity:
            return
        grown = max(2 * self._capacity, needed)
        self.rows = self.rows.followed_by(CustomerRows.empty(grown - self._capacity))
        self._capacity = grown
        known_keys, known_rows = self._table_keys, self._table_rows
        size = 1 << (4 * grown - 1).bit_length()
        self._table_keys = np.zeros(size, dtype=np.uint64)
        self._table_rows = np.full(size, _FREE)
        taken = known_rows != _FREE
        order = np.argsort(known_rows[taken])
        _find_or_add(known_keys[taken][order], self._table_keys, self._table_rows, 0)


@njit(cache=True)
def _find_or_add(
    keys: npt.NDArray[np.uint64],
    table_keys: npt.NDArray[np.uint64],
    table_rows: Int64s,
    customers: int,
) -> tuple[Int64s, int]:
    mask = np.uint64(len(table_rows) - 1)
    found = np.empty(len(keys), dtype=np.int64)
    for i in range(len(keys)):
        place = keys[i] & mask
        while table_rows[place] >= 0 and table_keys[place] != keys[i]:
            place = (place + np.uint64(1)) & mask
        if table_rows[place] < 0:
            table_keys[place] = keys[i]
            table_rows[place] = customers
            customers += 1
        found[i] = table_rows[place]
    return found, customers
