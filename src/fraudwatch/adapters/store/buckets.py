"""Walk time buckets from the newest back, in waves: few queries when the newest fill the list."""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from fraudwatch.domain.time_units import DAY_MS

# With busy traffic the first wave fills the list; with little, a few more are needed.
FIRST_WAVE = 2
Bucket = TypeVar("Bucket")


def waves(buckets: Sequence[Bucket], largest: int | None = None) -> Iterator[Sequence[Bucket]]:
    """Split into 2, 4, 8, ... buckets, up to the largest wave."""
    start, size = 0, FIRST_WAVE
    while start < len(buckets):
        yield buckets[start : start + size]
        start, size = start + size, min(size * 2, largest or len(buckets))


def buckets_back(start_of: Callable[[int], int], last_ms: int, first_ms: int) -> list[int]:
    """List the starts of all buckets from the one of ``last_ms`` back to that of ``first_ms``."""
    starts = [start_of(last_ms)]
    while starts[-1] > first_ms:
        starts.append(start_of(starts[-1] - 1))
    return starts


def day_start(epoch_ms: int) -> int:
    """Return the start of the UTC day, in epoch ms."""
    return epoch_ms // DAY_MS * DAY_MS


def month_start(epoch_ms: int) -> int:
    """Return the start of the UTC month, in epoch ms."""
    at = time.gmtime(epoch_ms // 1_000)
    return calendar.timegm((at.tm_year, at.tm_mon, 1, 0, 0, 0)) * 1_000
