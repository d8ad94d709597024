"""Decide what a filling disk asks for, and which messages of a topic nobody needs any more.

Topics are kept by time. A size limit would delete what a reader that is down has not read; so the
disk is watched instead: first what all have read goes, then ingest slows, then it refuses.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from fraudwatch.domain.time_units import DAY_MS, HOUR_MS

Offsets = Mapping[int, int]
# Ages from which read messages go: the oldest first, a step a round while the disk stays full.
AGES_MS: Final = (14 * DAY_MS, 7 * DAY_MS, 3 * DAY_MS, DAY_MS, 6 * HOUR_MS, HOUR_MS, 0)


class DiskPressure(enum.IntEnum):
    """Step that a filling disk makes necessary; each includes those before it."""

    NONE = 0
    DELETE = 1
    SLOW = 2
    REFUSE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskLimits:
    """Free bytes below which each step begins."""

    delete_below_bytes: int
    slow_below_bytes: int
    refuse_below_bytes: int

    def __post_init__(self) -> None:
        """Check the order.

        Raises:
            ValueError: ingest would refuse before it slows, or slow before anything is deleted.
        """
        if not self.delete_below_bytes >= self.slow_below_bytes >= self.refuse_below_bytes >= 0:
            raise ValueError(
                "DISK_DELETE_BELOW_GIB, DISK_SLOW_BELOW_GIB and DISK_REFUSE_BELOW_GIB must not "
                "increase in this order, so nothing was started; correct them in .env"
            )

    def pressure(self, free_bytes: int) -> DiskPressure:
        """Return what this many free bytes ask for."""
        if free_bytes < self.refuse_below_bytes:
            return DiskPressure.REFUSE
        if free_bytes < self.slow_below_bytes:
            return DiskPressure.SLOW
        if free_bytes < self.delete_below_bytes:
            return DiskPressure.DELETE
        return DiskPressure.NONE


def deletable_before(
    starts: Offsets, read: Iterable[Offsets | None], older_than: Offsets
) -> dict[int, int]:
    """Return by partition the offset before which messages may go; only where there are any.

    Args:
        starts: first offsets.
        read: of each reader the next offset to read; None, or a missing partition: nothing is read.
        older_than: first offset that is young enough to stay, whoever has read it.
    """
    readers = list(read)
    found = {}
    for partition, start in starts.items():
        positions = [0 if one is None else one.get(partition, 0) for one in readers]
        limit = min([older_than.get(partition, start), *positions])
        if readers and limit > start:
            found[partition] = limit
    return found
