"""The fifteen features of the Fraud Detection Handbook (ch. 3), which hold the current row too.

Windows reach back from the row's own time, begin excluded, as in the book: 24 hours are a day. A
terminal's end a week before, when labels have come. This is the book's specification and nothing
of the platform's own.
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


def book_features(
    event_at_ms: Int64s, card: UInt64s, terminal: UInt64s, eur_cents: Int64s, is_fraud: Bools
) -> Float64s:
    """[row, 15], of rows in the order of time."""
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
    """Count and mean amount of each window; the row is its window's last."""
    past = _Past(event_at_ms, card)
    columns: list[Float64s] = []
    for days in _WINDOWS_DAYS:
        first = past.after(days * DAY_MS)
        columns.append(past.sums(np.ones_like(eur_cents), first, past.next))
        columns.append(past.sums(eur_cents, first, past.next) / columns[-1] / 100)
    return columns


def _terminal_columns(event_at_ms: Int64s, terminal: UInt64s, is_fraud: Bools) -> list[Float64s]:
    """Count and share of fraud of each window that ends a week before the row; 0 of nothing."""
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
    """Rows by owner and time; equal times keep their order."""

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
        """The place of each owner's first row that is younger than that."""
        oldest = self._key - age_ms
        return np.maximum(np.searchsorted(self._key, oldest, side="right"), self._begin)

    def sums(self, values: Int64s, first: Int64s, end: Int64s) -> Float64s:
        """Sums from ``first`` to before ``end``, back in the order of the rows."""
        total = np.append(0, np.cumsum(values[self._order]))
        found = np.empty(len(values))
        found[self._order] = total[end] - total[first]
        return found
