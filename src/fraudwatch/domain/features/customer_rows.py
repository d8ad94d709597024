"""Copies of customers' rows: equal bytes for equal histories, however the state stores them.

Snapshots, the lake and the tasks of a batch job pass them on. Columns of fixed width have a row for
each customer; the lists of all customers stand one after the other.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from fraudwatch.domain.arrays import Float64s, Int32s, Int64s, UInt8s, UInt64s
from fraudwatch.domain.features.catalogue import WINDOWS

RECENT_IDS: Final = 64
HOURS_OF_DAY: Final = 24
NEVER_MS: Final = -1


class CustomerRows(NamedTuple):
    """Rows of customers as columns; the last four hold their lists, in the same order."""

    produced_at_ms: Int64s  # [row] when the last accepted message was, -1 never
    last_event_ms: Int64s  # [row]
    located_ms: Int64s  # [row]
    located_latitude: Float64s  # [row]
    located_longitude: Float64s  # [row]
    recent_count: Int64s  # [row] ids ever added to the ring
    amount_count: Int64s  # [row] approved purchases ever
    amount_mean: Float64s  # [row] euro cents
    amount_square_sum: Float64s  # [row] squared distances from the mean (Welford)
    usual_amount: Float64s  # [row] euro cents
    lost_tile: Int32s  # [row, window] newest tile with an event that is not kept, -1 never
    hour_bits: Int32s  # [row] bit h: the hour of day h has a weight
    hour_count: UInt8s  # [row] how many have
    tile_count: UInt8s  # [row] entries of tiles
    known_count: UInt8s  # [row] entries of known categories, merchants, devices, countries
    tiles: Int64s  # [entry, 2] in order of window and tile; see the kernels of the windows
    known: Int64s  # [entry, 2] in the order of their slots; see the kernels of the known
    recent_ids: UInt64s  # [entry] of the last ids, a ring
    hour_weight: Float64s  # [entry] in order of the hour, faded to last_event_ms

    @classmethod
    def empty(cls, rows: int) -> CustomerRows:
        """Return rows of customers without history."""
        fixed: dict[str, Any] = {
            name: np.full((rows, *width), value, dtype=dtype)
            for name, (dtype, width, value) in FIXED_COLUMNS.items()
        }
        return cls(
            **fixed,
            tiles=np.zeros((0, 2), dtype=np.int64),
            known=np.zeros((0, 2), dtype=np.int64),
            recent_ids=np.zeros(0, dtype=np.uint64),
            hour_weight=np.zeros(0),
        )

    def chosen(self, chosen: Any) -> CustomerRows:
        """Select rows by places, a mask or a slice."""
        places = np.arange(len(self.last_event_ms))[chosen]
        columns: dict[str, Any] = {name: getattr(self, name)[places] for name in FIXED_COLUMNS}
        for name, lengths in self.list_lengths().items():
            columns[name] = getattr(self, name)[_of_lists(lengths, places)]
        return CustomerRows(**columns)

    def followed_by(self, more: CustomerRows) -> CustomerRows:
        """Return these rows with ``more`` appended."""
        pairs: Any = ((getattr(self, name), getattr(more, name)) for name in self._fields)
        return CustomerRows(*(np.concatenate(pair) for pair in pairs))

    def list_lengths(self) -> dict[str, Int64s]:
        """Return each row's number of entries in each of the lists."""
        lengths: dict[str, Any] = {
            "tiles": self.tile_count,
            "known": self.known_count,
            "recent_ids": np.minimum(self.recent_count, RECENT_IDS),
            "hour_weight": self.hour_count,
        }
        return {name: counts.astype(np.int64) for name, counts in lengths.items()}


# Type, width and value without history.
FIXED_COLUMNS: Final[dict[str, tuple[type, tuple[int, ...], float]]] = {
    "produced_at_ms": (np.int64, (), NEVER_MS),
    "last_event_ms": (np.int64, (), NEVER_MS),
    "located_ms": (np.int64, (), NEVER_MS),
    "located_latitude": (np.float64, (), np.nan),
    "located_longitude": (np.float64, (), np.nan),
    "recent_count": (np.int64, (), 0),
    "amount_count": (np.int64, (), 0),
    "amount_mean": (np.float64, (), 0),
    "amount_square_sum": (np.float64, (), 0),
    "usual_amount": (np.float64, (), 0),
    "lost_tile": (np.int32, (len(WINDOWS),), NEVER_MS),
    "hour_bits": (np.int32, (), 0),
    "hour_count": (np.uint8, (), 0),
    "tile_count": (np.uint8, (), 0),
    "known_count": (np.uint8, (), 0),
}


class CustomerArrays(NamedTuple):
    """Copy of some customers: row i belongs to the customer whose key is ``keys[i]``."""

    keys: UInt64s
    rows: CustomerRows

    def chosen(self, chosen: Any) -> CustomerArrays:
        """Select customers by places, a mask or a slice."""
        return CustomerArrays(self.keys[chosen], self.rows.chosen(chosen))

    def followed_by(self, more: CustomerArrays) -> CustomerArrays:
        """Return these customers with ``more`` appended, who are others."""
        keys = np.concatenate([self.keys, more.keys])
        return CustomerArrays(keys, self.rows.followed_by(more.rows))


def _of_lists(lengths: Int64s, places: Int64s) -> Int64s:
    """Return the places of these rows' entries among those of all rows."""
    starts = np.cumsum(lengths) - lengths
    wanted = lengths[places]
    before = np.cumsum(wanted) - wanted
    found: Int64s = np.repeat(starts[places] - before, wanted) + np.arange(wanted.sum())
    return found
