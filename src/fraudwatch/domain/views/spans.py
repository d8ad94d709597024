"""Count time spans per owner and hour, for many queries at once.

Views are of whole hours. A span that begins after ``a`` and lasts until ``b`` counts at the end
``h`` of an hour if ``a < h <= b``, and whole hours decide that: the hour of ``a`` is before ``h``
and the hour of ``b`` is not. The count is the number of spans begun less the number ended: two
searches in sorted numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from fraudwatch.domain.arrays import Bools, Float64s, Int64s, UInt64s
from fraudwatch.domain.time_units import HOUR_MS

FOREVER_MS: Final = int(np.iinfo(np.int64).max)
# The hours since 1970 take 22 bits until the year 2448: a number and an hour make one number.
_HOURS: Final = 2**22


def hour_of(at_ms: Int64s) -> Int64s:
    """Return the whole hours since 1970 that have ended at an instant."""
    return np.clip(at_ms // HOUR_MS, 0, _HOURS - 1)


def key_of(owner: Int64s, hour: Int64s) -> Int64s:
    """Combine owner and hour in one number, which sorts by (owner, hour)."""
    return owner * _HOURS + hour


class IntervalQuery(NamedTuple):
    """Queries by owner's number and end of an hour since 1970."""

    owner: Int64s
    hour: Int64s

    @property
    def key(self) -> Int64s:
        """Return one number a query."""
        return key_of(self.owner, self.hour)


@dataclass(frozen=True, slots=True)
class Spans:
    """Spans of numbered owners, as sorted keys."""

    begins: Int64s  # keys, ascending
    ends: Int64s

    @classmethod
    def of(cls, owner: Int64s, after_ms: Int64s, until_ms: Int64s) -> Spans:
        """Keep those that include the end of any hour; the others never count."""
        begins, ends = hour_of(after_ms), hour_of(until_ms)
        counts = begins < ends
        keys = (key_of(owner[counts], hours[counts]) for hours in (begins, ends))
        return cls(*(np.sort(some) for some in keys))

    def count(self, query: IntervalQuery) -> Int64s:
        """Count the spans of each query; fast if queries are in the order of keys."""
        key = query.key
        return np.searchsorted(self.begins, key) - np.searchsorted(self.ends, key)


@dataclass(frozen=True, slots=True)
class Entities:
    """Entities of one kind by number, and the queries for them: each row's entity at its hour."""

    number: Int64s  # of each row
    order: Int64s  # rows in the order of the queries; those without an entity are left out
    query: IntervalQuery

    @classmethod
    def of(cls, keys: UInt64s, hour: Int64s) -> Entities:
        """Number them; a key of 0 is unknown."""
        number = np.unique(keys, return_inverse=True)[1]
        order = np.lexsort((hour, number))
        order = order[keys[order] != 0]
        return cls(number, order, IntervalQuery(number[order], hour[order]))

    def spread(self, columns: Mapping[str, Float64s], is_known: Bools) -> dict[str, Float64s]:
        """Spread results back to their rows; NaN where there was no query or nothing is known."""
        spread = {name: np.full(len(self.number), np.nan) for name in columns}
        for name, answers in columns.items():
            spread[name][self.order] = np.where(is_known, answers, np.nan)
        return spread
