"""Compute the fifteen features of the Fraud Detection Handbook (ch. 3), current row included.

Windows reach back from the row's own time, start excluded, as in the book: 24 hours are a day. A
terminal's windows end a week earlier, when labels are known. This follows the book's specification
and uses none of the platform's own features.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from fraudwatch.domain.arrays import Bools, Float64s, Int64s, UInt64s
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS

_WINDOWS_DAYS: Final = (1, 7, 30)
_DELAY_MS: Final = 7 * DAY_MS
_LAST_NIGHT_HOUR: Final = 6
_SATURDAY, _DAYS_A_WEEK, _EPOCH_WEEKDAY = 5, 7, 3  # 1970-01-01 was a Thursday


def handbook_features(
    event_at_ms: Int64s, card: UInt64s, terminal: UInt64s, eur_cents: Int64s, is_fraud: Bools
) -> Float64s:
    """Return the feature matrix [row, 15] of rows in time order."""
    hour = event_at_ms // HOUR_MS % 24
    weekday = (event_at_ms // DAY_MS + _EPOCH_WEEKDAY) % _DAYS_A_WEEK
    columns = [
        eur_cents / 100,
        (weekday >= _SATURDAY).astype(np.float64),
        (hour <= _LAST_NIGHT_HOUR).astype(np.float64),
        *_card_columns(event_at_ms, card, eur_cents),
        *_terminal_columns(event_at_ms, terminal, is_fraud),
    ]
    return np.stack(columns, axis=1)


def _card_columns(event_at_ms: Int64s, card: UInt64s, eur_cents: Int64s) -> list[Float64s]:
    """Compute count and mean amount of each window; the row is the last in its window."""
    past = _Past(event_at_ms, card)
    columns: list[Float64s] = []
    for days in _WINDOWS_DAYS:
        first = past.after(days * DAY_MS)
        columns.append(past.sums(np.ones_like(eur_cents), first, past.next))
        columns.append(past.sums(eur_cents, first, past.next) / columns[-1] / 100)
    return columns


def _terminal_columns(event_at_ms: Int64s, terminal: UInt64s, is_fraud: Bools) -> list[Float64s]:
    """Compute count and fraud share of each window that ends a week before the row.

    The share of an empty window is 0.
    """
    past = _Past(event_at_ms, terminal)
    end = past.after(_DELAY_MS)
    columns: list[Float64s] = []
    for days in _WINDOWS_DAYS:
        first = past.after(_DELAY_MS + days * DAY_MS)
        counts = past.sums(np.ones_like(event_at_ms), first, end)
        frauds = past.sums(is_fraud.astype(np.int64), first, end)
        columns += [counts, np.divide(frauds, counts, out=np.zeros_like(frauds), where=counts > 0)]
    return columns


class _Past:
    """Window sums over rows sorted by owner and time; equal times keep their order."""

    def __init__(self, event_at_ms: Int64s, owner: UInt64s) -> None:
        self._order = np.lexsort((event_at_ms, owner))
        self._at_ms = event_at_ms[self._order]
        number = np.cumsum(np.append(0, owner[self._order][1:] != owner[self._order][:-1]))
        self._begin = np.searchsorted(number, number)  # of each row's owner
        self._span_ms = int(event_at_ms.max() - event_at_ms.min()) + 1
        self._first_ms = int(event_at_ms.min())
        self._number = number
        self._key = number * self._span_ms + self._at_ms - self._first_ms
        self.next = np.arange(1, len(number) + 1)

    def after(self, age_ms: int) -> Int64s:
        """Return the position of each owner's first row younger than ``age_ms``."""
        oldest = self._key - age_ms
        return np.maximum(np.searchsorted(self._key, oldest, side="right"), self._begin)

    def sums(self, values: Int64s, first: Int64s, end: Int64s) -> Float64s:
        """Sum values from ``first`` up to ``end`` (excluded), in the input's row order."""
        total = np.append(0, np.cumsum(values[self._order]))
        sums = np.empty(len(values))
        sums[self._order] = total[end] - total[first]
        return sums
