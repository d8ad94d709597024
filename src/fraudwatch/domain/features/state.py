"""Keep each customer's history in arrays with one row per customer: the detector's state.

The state depends on accepted transactions alone: never on verdicts, versions or a clock. Rows are
found by the fixed 64-bit hash of the customer token, in an open-addressing table.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fraudwatch.domain.arrays import Bools, Float64s, Int32s, Int64s, UInt64s
from fraudwatch.domain.features.catalogue import BEGINS_ANEW_MS, WINDOWS
from fraudwatch.domain.features.compiled import compiled
from fraudwatch.domain.time_units import DAY_MS

RECENT_IDS = 64
HOURS_OF_DAY = 24
# How many of each are kept; the least recently used one is replaced.
KNOWN_CATEGORIES, KNOWN_MERCHANTS, KNOWN_DEVICES, KNOWN_COUNTRIES = 8, 32, 8, 8
NEVER_MS = -1
# A window of k whole tiles needs k + 1 slots: the current tile has one as well.
SLOTS_OF_WINDOW = np.array([w.tiles + 1 for w in WINDOWS], dtype=np.int64)
FIRST_SLOT_OF_WINDOW = np.concatenate(([0], np.cumsum(SLOTS_OF_WINDOW)[:-1]))
TILE_MS_OF_WINDOW = np.array([w.tile_ms for w in WINDOWS], dtype=np.int64)
_ALL_SLOTS = int(SLOTS_OF_WINDOW.sum())
_FIRST_CAPACITY = 1_024
_FREE = np.int64(-1)
# Producers stamp messages by their own clocks, so a later message may be a little older.
_EVICTION_MARGIN_MS = DAY_MS


class CustomerRows(NamedTuple):
    """Arrays of the state as the compiled fold reads them; the first axis is the row."""

    produced_at_ms: Int64s  # [row] when the last accepted message was, -1 never
    tile_head: Int64s  # [row, window] number of the current tile, -1 never
    lost_tile: Int64s  # [row, window] newest tile with an event that has no slot any more, -1 never
    purchase_count: Int32s  # [row, slot]
    spend_eur_cents: Int64s  # [row, slot]
    failed_count: Int32s  # [row, slot]
    small_count: Int32s  # [row, slot]
    large_count: Int32s  # [row, slot]
    last_event_ms: Int64s  # [row]
    located_ms: Int64s  # [row]
    located_latitude: Float64s  # [row]
    located_longitude: Float64s  # [row]
    recent_ids: UInt64s  # [row, RECENT_IDS], a ring
    recent_count: Int64s  # [row] ids ever added to the ring
    amount_count: Int64s  # [row] approved purchases ever
    amount_mean: Float64s  # [row] euro cents
    amount_square_sum: Float64s  # [row] squared distances from the mean (Welford)
    usual_amount: Float64s  # [row] euro cents
    hour_weight: Float64s  # [row, hour of day] faded to last_event_ms
    category_keys: UInt64s  # [row, slot of a known one], as in all fields that follow
    category_seen_ms: Int64s  # when it last occurred, -1 never
    category_count: Int32s
    merchant_keys: UInt64s
    merchant_seen_ms: Int64s
    device_keys: UInt64s
    device_seen_ms: Int64s
    country_keys: UInt64s
    country_seen_ms: Int64s

    @classmethod
    def empty(cls, rows: int) -> CustomerRows:
        """Return rows of customers without history."""

        def zeros(dtype: type, *width: int) -> Any:
            return np.zeros((rows, *width), dtype=dtype)

        def never(*width: int) -> Any:
            return np.full((rows, *width), NEVER_MS, dtype=np.int64)

        return cls(
            produced_at_ms=never(),
            tile_head=never(len(WINDOWS)),
            lost_tile=never(len(WINDOWS)),
            purchase_count=zeros(np.int32, _ALL_SLOTS),
            spend_eur_cents=zeros(np.int64, _ALL_SLOTS),
            failed_count=zeros(np.int32, _ALL_SLOTS),
            small_count=zeros(np.int32, _ALL_SLOTS),
            large_count=zeros(np.int32, _ALL_SLOTS),
            last_event_ms=never(),
            located_ms=never(),
            located_latitude=np.full(rows, np.nan),
            located_longitude=np.full(rows, np.nan),
            recent_ids=zeros(np.uint64, RECENT_IDS),
            recent_count=zeros(np.int64),
            amount_count=zeros(np.int64),
            amount_mean=zeros(np.float64),
            amount_square_sum=zeros(np.float64),
            usual_amount=zeros(np.float64),
            hour_weight=zeros(np.float64, HOURS_OF_DAY),
            category_keys=zeros(np.uint64, KNOWN_CATEGORIES),
            category_seen_ms=never(KNOWN_CATEGORIES),
            category_count=zeros(np.int32, KNOWN_CATEGORIES),
            merchant_keys=zeros(np.uint64, KNOWN_MERCHANTS),
            merchant_seen_ms=never(KNOWN_MERCHANTS),
            device_keys=zeros(np.uint64, KNOWN_DEVICES),
            device_seen_ms=never(KNOWN_DEVICES),
            country_keys=zeros(np.uint64, KNOWN_COUNTRIES),
            country_seen_ms=never(KNOWN_COUNTRIES),
        )

    def first(self, rows: int, into: CustomerRows | None = None) -> CustomerRows:
        """Copy the first rows, into new arrays or, if they are large enough, into ``into``.

        Copying into arrays that were written to before is ten times as fast as into new ones.
        """
        if into is None or len(into.last_event_ms) < rows:
            into = CustomerRows.empty(rows)
        copied = CustomerRows(*(getattr(into, name)[:rows] for name in self._fields))
        for name in self._fields:
            np.copyto(getattr(copied, name), getattr(self, name)[:rows])
        return copied

    def chosen(self, chosen: Bools) -> CustomerRows:
        """Return the rows that a mask chooses."""
        return CustomerRows(*(getattr(self, name)[chosen] for name in self._fields))

    def followed_by(self, more: CustomerRows) -> CustomerRows:
        """Return these rows with ``more`` appended."""
        pairs = ((getattr(self, name), getattr(more, name)) for name in self._fields)
        return CustomerRows(*(np.concatenate(pair) for pair in pairs))


class CustomerArrays(NamedTuple):
    """Whole state for a snapshot: row i belongs to the customer whose key is ``keys[i]``."""

    keys: UInt64s
    rows: CustomerRows


class CustomerState:
    """All customers' rows and the hash table that finds them."""

    def __init__(self) -> None:
        self.rows = CustomerRows.empty(_FIRST_CAPACITY)
        self.customers = 0
        self._capacity = _FIRST_CAPACITY
        self._table_keys = np.zeros(4 * _FIRST_CAPACITY, dtype=np.uint64)
        self._table_rows = np.full(4 * _FIRST_CAPACITY, _FREE)

    def rows_of(self, keys: UInt64s) -> Int64s:
        """Return the row of each customer key, new rows for new customers."""
        fresh = keys[_is_new(keys, self._table_keys, self._table_rows)]
        self._reserve(len(np.unique(fresh)))
        found, self.customers = _find_or_add(
            keys, self._table_keys, self._table_rows, self.customers
        )
        return np.asarray(found)

    def copied(self, into: CustomerRows | None = None) -> CustomerArrays:
        """Copy the whole state, one row per customer; see :meth:`CustomerRows.first`."""
        return CustomerArrays(self.keys(), self.rows.first(self.customers, into))

    def keys(self) -> UInt64s:
        """Return the key of each row's customer."""
        occupied = self._table_rows != _FREE
        keys = np.empty(self.customers, dtype=np.uint64)
        keys[self._table_rows[occupied]] = self._table_keys[occupied]
        return keys

    @classmethod
    def from_copy(cls, copy: CustomerArrays) -> CustomerState:
        """Restore a state from its copy."""
        state = cls()
        state.rows_of(copy.keys)
        more = CustomerRows.empty(state._capacity - state.customers)
        state.rows = copy.rows.followed_by(more)
        return state

    def evict_idle(self, now_ms: int) -> int:
        """Remove customers who would begin anew with any message produced from now on.

        So it changes no feature. ``now_ms`` is the production time of a message about to be folded;
        later ones may have been produced a day before it.

        Returns:
            How many were removed.
        """
        idle_before_ms = now_ms - BEGINS_ANEW_MS - _EVICTION_MARGIN_MS
        is_kept = self.rows.produced_at_ms[: self.customers] >= idle_before_ms
        evicted = int(len(is_kept) - is_kept.sum())
        if evicted:
            known = self.copied()
            kept = CustomerArrays(known.keys[is_kept], known.rows.chosen(is_kept))
            vars(self).update(vars(CustomerState.from_copy(kept)))
        return evicted

    def _reserve(self, new_customers: int) -> None:
        needed = self.customers + new_customers
        if needed <= self._capacity:
            return
        grown = max(2 * self._capacity, needed)
        self.rows = self.rows.followed_by(CustomerRows.empty(grown - self._capacity))
        self._capacity = grown
        old_keys, old_rows = self._table_keys, self._table_rows
        size = 1 << (4 * grown - 1).bit_length()
        self._table_keys = np.zeros(size, dtype=np.uint64)
        self._table_rows = np.full(size, _FREE)
        occupied = old_rows != _FREE
        order = np.argsort(old_rows[occupied])
        _find_or_add(old_keys[occupied][order], self._table_keys, self._table_rows, 0)


@compiled
def _is_new(keys: UInt64s, table_keys: UInt64s, table_rows: Int64s) -> Bools:
    mask = np.uint64(len(table_rows) - 1)
    is_new = np.empty(len(keys), dtype=np.bool_)
    for i in range(len(keys)):
        slot = keys[i] & mask
        while table_rows[slot] >= 0 and table_keys[slot] != keys[i]:
            slot = (slot + np.uint64(1)) & mask
        is_new[i] = table_rows[slot] < 0
    return is_new


@compiled
def _find_or_add(
    keys: UInt64s,
    table_keys: UInt64s,
    table_rows: Int64s,
    customers: int,
) -> tuple[Int64s, int]:
    mask = np.uint64(len(table_rows) - 1)
    found = np.empty(len(keys), dtype=np.int64)
    for i in range(len(keys)):
        slot = keys[i] & mask
        while table_rows[slot] >= 0 and table_keys[slot] != keys[i]:
            slot = (slot + np.uint64(1)) & mask
        if table_rows[slot] < 0:
            table_keys[slot] = keys[i]
            table_rows[slot] = customers
            customers += 1
        found[i] = table_rows[slot]
    return found, customers
