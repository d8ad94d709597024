"""When a merchant's last fraud and last genuine purchase were, and since when there is only fraud.

All of it as it was known at the end of an hour, of any hours of the past at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from fraudwatch.domain.views.catalogue import WINDOW_MS
from fraudwatch.domain.views.past import FraudSpells
from fraudwatch.domain.views.spans import Asked, Bools, Int64s, Spans, hour_of, key_of
from fraudwatch.domain.views.view import Float64s

_NONE: Final = -1


@dataclass(frozen=True)
class OldEnough:
    """Approved purchases with their merchants, in the order of (merchant, time).

    A place is a purchase's in this order.
    """

    merchant: Int64s
    event_at_ms: Int64s
    label_delay_ms: int

    def spans(self, whose: Int64s) -> Spans:
        """From when until when each is old enough and not too old, counted for whom it is said."""
        after_ms = self.event_at_ms + self.label_delay_ms
        return Spans.of(whose, after_ms, after_ms + WINDOW_MS)

    def bounds(self, asked: Asked) -> tuple[Int64s, Int64s]:
        """First and last place of the merchant's that are old enough and not too old."""
        after_ms = self.event_at_ms + self.label_delay_ms
        newest = np.searchsorted(key_of(self.merchant, hour_of(after_ms)), asked.key) - 1
        over = key_of(self.merchant, hour_of(after_ms + WINDOW_MS))
        return np.searchsorted(over, asked.key), newest

    def tie_end(self) -> Int64s:
        """For each place the first after it with another merchant or instant."""
        is_new = np.ones(len(self.merchant), dtype=np.bool_)
        is_new[1:] = (np.diff(self.merchant) != 0) | (np.diff(self.event_at_ms) != 0)
        starts = np.append(np.flatnonzero(is_new), len(is_new))
        return starts[np.cumsum(is_new)]


def fraud_runs(
    past: OldEnough, spells: FraudSpells, is_plain: Bools, asked: Asked
) -> dict[str, Float64s]:
    """The instants that a view holds; NaN where there is none.

    Args:
        past: The purchases.
        spells: When which was known to be fraud; their rows are places.
        is_plain: Of each spell.
        asked: Merchants and hours.
    """
    known = Spans.of(spells.row, spells.known_at_ms, spells.until_ms)
    frauds = np.unique(spells.row[is_plain])

    def is_fraud(place: Int64s, which: Int64s) -> Bools:
        return known.count(Asked(place, asked.hour[which])) > 0

    def is_genuine(place: Int64s, which: Int64s) -> Bools:
        return ~is_fraud(place, which)

    def is_plain_fraud(number: Int64s, which: Int64s) -> Bools:
        return is_fraud(frauds[number], which)

    oldest, newest = past.bounds(asked)
    genuine = _walk(newest, oldest, -1, is_genuine)
    first = np.searchsorted(frauds, oldest)
    last = np.searchsorted(frauds, newest, side="right") - 1
    last = _walk(last, first, -1, is_plain_fraud)
    has_genuine = genuine != _NONE
    first[has_genuine] = np.searchsorted(frauds, past.tie_end()[genuine[has_genuine]])
    run = _walk(first, last, 1, is_plain_fraud)
    return {
        "merchant_genuine_ms": _taken(past.event_at_ms, genuine),
        "merchant_plain_fraud_ms": _taken(past.event_at_ms[frauds], last),
        "merchant_fraud_run_ms": _taken(past.event_at_ms[frauds], run),
    }


def _walk(
    start: Int64s, stop: Int64s, step: int, is_found: Callable[[Int64s, Int64s], Bools]
) -> Int64s:
    """Step from each start to its stop, both among them, until found; _NONE where nothing is."""
    found = np.full(len(start), _NONE)
    which, at = np.arange(len(start)), start
    while True:
        is_inside = (stop[which] - at) * step >= 0
        which, at = which[is_inside], at[is_inside]
        if not len(which):
            return found
        hit = is_found(at, which)
        found[which[hit]] = at[hit]
        which, at = which[~hit], at[~hit] + step


def _taken(at_ms: Int64s, place: Int64s) -> Float64s:
    taken = np.full(len(place), np.nan)
    taken[place != _NONE] = at_ms[place[place != _NONE]]
    return taken
