"""What counts for whom from when until when, asked for many at once.

Views are of whole hours. A span that begins after ``a`` and holds until ``b`` counts at the end
``h`` of an hour if ``a < h <= b``, and whole hours decide that: the hour of ``a`` lies before ``h``
and the hour of ``b`` does not. How many count is how many have begun less how many are over: two
searches in sorted numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.features.catalogue import HOUR_MS

UInt64s = npt.NDArray[np.uint64]
Float64s = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

FOREVER_MS: Final = int(np.iinfo(np.int64).max)
# The hours since 1970 take 22 bits until the year 2448: a number and an hour make one number.
_HOURS: Final = 2**22


def hour_of(at_ms: Int64s) -> Int64s:
    """The whole hours since 1970 that are over at an instant."""
    return np.clip(at_ms // HOUR_MS, 0, _HOURS - 1)


def key_of(whose: Int64s, hour: Int64s) -> Int64s:
    """Owner and hour as one number, which is in the order of (whose, hour)."""
    return whose * _HOURS + hour


class Asked(NamedTuple):
    """Whom a question is about, by number, and at the end of which hour since 1970."""

    whose: Int64s
    hour: Int64s

    @property
    def key(self) -> Int64s:
        """One number a question."""
        return key_of(self.whose, self.hour)


@dataclass(frozen=True, slots=True)
class Spans:
    """Spans of numbered owners."""

    begins: Int64s  # keys, ascending
    ends: Int64s

    @classmethod
    def of(cls, whose: Int64s, after_ms: Int64s, until_ms: Int64s) -> Spans:
        """Those that hold at the end of any hour; the others never count."""
        begins, ends = hour_of(after_ms), hour_of(until_ms)
        holds = begins < ends
        keys = (key_of(whose[holds], hours[holds]) for hours in (begins, ends))
        return cls(*(np.sort(some) for some in keys))

    def count(self, asked: Asked) -> Int64s:
        """How many count at each; asked in the order of keys it is fast."""
        key = asked.key
        return np.searchsorted(self.begins, key) - np.searchsorted(self.ends, key)


@dataclass(frozen=True, slots=True)
class Entities:
    """The entities of one kind by number, and what is asked of them: each row's, at its hour."""

    number: Int64s  # of each row
    order: Int64s  # rows in the order of the questions; those of no entity are left out
    asked: Asked

    @classmethod
    def of(cls, keys: UInt64s, hour: Int64s) -> Entities:
        """Number them; a key of 0 is nobody's."""
        number = np.unique(keys, return_inverse=True)[1]
        order = np.lexsort((hour, number))
        order = order[keys[order] != 0]
        return cls(number, order, Asked(number[order], hour[order]))

    def spread(self, columns: Mapping[str, Float64s], is_known: Bools) -> dict[str, Float64s]:
        """Answers back to their rows; NaN where nothing was asked or nothing is known."""
        spread = {name: np.full(len(self.number), np.nan) for name in columns}
        for name, answers in columns.items():
            spread[name][self.order] = np.where(is_known, answers, np.nan)
        return spread
