"""Find a merchant's last fraud, last genuine purchase and current streak of frauds.

All as known at the end of an hour, for any hours of the past at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from fraudwatch.domain.arrays import Bools, Float64s, Int64s
from fraudwatch.domain.views.catalogue import WINDOW_MS
from fraudwatch.domain.views.past import FraudIntervals
from fraudwatch.domain.views.spans import IntervalQuery, Spans, hour_of, key_of

_NONE: Final = -1


@dataclass(frozen=True)
class MaturePurchases:
    """Approved purchases with their merchants, in the order of (merchant, time).

    They count once they are old enough to be labelled. A place is a purchase's index in this order.
    """

    merchant: Int64s
    event_at_ms: Int64s
    label_delay_ms: int

    def spans(self, owner: Int64s) -> Spans:
        """Return the span in which each is old enough and not too old, by its given owner."""
        after_ms = self.event_at_ms + self.label_delay_ms
        return Spans.of(owner, after_ms, after_ms + WINDOW_MS)

    def bounds(self, query: IntervalQuery) -> tuple[Int64s, Int64s]:
        """Return the merchant's first and last place that are old enough and not too old."""
        after_ms = self.event_at_ms + self.label_delay_ms
        newest = np.searchsorted(key_of(self.merchant, hour_of(after_ms)), query.key) - 1
        over = key_of(self.merchant, hour_of(after_ms + WINDOW_MS))
        return np.searchsorted(over, query.key), newest

    def tie_end(self) -> Int64s:
        """Return for each place the first after it with another merchant or instant."""
        is_new = np.ones(len(self.merchant), dtype=np.bool_)
        is_new[1:] = (np.diff(self.merchant) != 0) | (np.diff(self.event_at_ms) != 0)
        starts = np.append(np.flatnonzero(is_new), len(is_new))
        return starts[np.cumsum(is_new)]


def fraud_streaks(
    past: MaturePurchases, intervals: FraudIntervals, is_plain: Bools, query: IntervalQuery
) -> dict[str, Float64s]:
    """Return the instants of a view's columns; NaN where there is none.

    Args:
        past: The purchases.
        intervals: Intervals in which a purchase was known to be fraud; their rows are places.
        is_plain: For each interval, whether its fraud is plain.
        query: Merchants and hours.
    """
    known = Spans.of(intervals.row, intervals.known_at_ms, intervals.until_ms)
    frauds = np.unique(intervals.row[is_plain])

    def is_fraud(place: Int64s, query_row: Int64s) -> Bools:
        return known.count(IntervalQuery(place, query.hour[query_row])) > 0

    def is_genuine(place: Int64s, query_row: Int64s) -> Bools:
        return ~is_fraud(place, query_row)

    def is_plain_fraud(number: Int64s, query_row: Int64s) -> Bools:
        return is_fraud(frauds[number], query_row)

    oldest, newest = past.bounds(query)
    genuine = _walk(newest, oldest, -1, is_genuine)
    first = np.searchsorted(frauds, oldest)
    last = np.searchsorted(frauds, newest, side="right") - 1
    last = _walk(last, first, -1, is_plain_fraud)
    has_genuine = genuine != _NONE
    first[has_genuine] = np.searchsorted(frauds, past.tie_end()[genuine[has_genuine]])
    streak = _walk(first, last, 1, is_plain_fraud)
    return {
        "merchant_genuine_ms": _instants_at(past.event_at_ms, genuine),
        "merchant_plain_fraud_ms": _instants_at(past.event_at_ms[frauds], last),
        "merchant_fraud_run_ms": _instants_at(past.event_at_ms[frauds], streak),
    }


def _walk(
    start: Int64s, stop: Int64s, step: int, is_found: Callable[[Int64s, Int64s], Bools]
) -> Int64s:
    """Step from each start to its stop, both included, until found; _NONE where nothing is."""
    found = np.full(len(start), _NONE)
    query_row, at = np.arange(len(start)), start
    while True:
        is_inside = (stop[query_row] - at) * step >= 0
        query_row, at = query_row[is_inside], at[is_inside]
        if not len(query_row):
            return found
        hit = is_found(at, query_row)
        found[query_row[hit]] = at[hit]
        query_row, at = query_row[~hit], at[~hit] + step


def _instants_at(at_ms: Int64s, place: Int64s) -> Float64s:
    instants = np.full(len(place), np.nan)
    instants[place != _NONE] = at_ms[place[place != _NONE]]
    return instants
