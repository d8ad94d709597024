"""Store customers' rows as the compiled fold reads them: a record each, and lists in pages.

A customer's lists are short: of five windows with 109 tiles most are empty, and few customers use
all slots of the known merchants. So a row costs what its history holds.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.features.compiled import compiled
from fraudwatch.domain.features.customer_rows import FIXED_COLUMNS, NEVER_MS
from fraudwatch.domain.features.pages import Pages, cut

Rows = npt.NDArray[Any]  # of records
Row = Any  # one record


class List(NamedTuple):
    """How the state stores one list of every row."""

    first_page: str  # field of the row's first page, 0 none
    dtype: type
    pages_of_event: int  # that one event may take


# An event adds up to ten entries of tiles (a window may need two), four known ones, an id, an hour.
LISTS: Final = {
    "tiles": List("tile_page", np.int64, 4),
    "known": List("known_page", np.int64, 2),
    "recent_ids": List("id_page", np.int64, 1),
    "hour_weight": List("hour_page", np.float64, 1),
}
# A record has the columns of CustomerRows and what the state alone needs.
ROW: Final = np.dtype(
    [
        ("key", np.uint64),
        *((name, dtype, width) for name, (dtype, width, _) in FIXED_COLUMNS.items()),
        *((one.first_page, np.int32) for one in LISTS.values()),
    ],
    align=True,
)


class PackedRows(NamedTuple):
    """Records of the state, and the pages of each list of all rows."""

    rows: Rows
    tiles: Pages
    known: Pages
    recent_ids: Pages
    hour_weight: Pages

    @classmethod
    def empty(cls, rows: int) -> PackedRows:
        """Return room for so many rows."""
        return cls(np.zeros(rows, dtype=ROW), *(Pages.empty(one.dtype) for one in LISTS.values()))

    @property
    def nbytes(self) -> int:
        """Memory of all rows and pages, reserved ones included."""
        lists: list[Pages] = [getattr(self, name) for name in LISTS]
        return self.rows.nbytes + sum(int(one.nbytes) for pages in lists for one in pages)

    def with_pages(self, events: int) -> PackedRows:
        """Return room for the pages that so many events may take."""
        grown: dict[str, Any] = {
            name: getattr(self, name).reserved(one.pages_of_event * events)
            for name, one in LISTS.items()
        }
        return self._replace(**grown)


@compiled
def write_empty(row: Row) -> None:
    """Write the row of a customer without history; its lists must have no pages."""
    row.produced_at_ms = row.last_event_ms = row.located_ms = NEVER_MS
    row.located_latitude = row.located_longitude = math.nan
    row.recent_count = row.amount_count = 0
    row.amount_mean = row.amount_square_sum = row.usual_amount = 0.0
    row.lost_tile[:] = NEVER_MS
    row.hour_bits = 0
    row.hour_count = row.tile_count = row.known_count = 0
    row.tile_page = row.known_page = row.id_page = row.hour_page = 0


@compiled
def forget(row: Row, customers: PackedRows) -> None:
    """Free the row's lists and make it that of a customer without history."""
    cut(row.tile_page, 0, customers.tiles)
    cut(row.known_page, 0, customers.known)
    cut(row.id_page, 0, customers.recent_ids)
    cut(row.hour_page, 0, customers.hour_weight)
    write_empty(row)
