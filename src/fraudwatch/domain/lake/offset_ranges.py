"""Find which offsets of a topic a reader lost to retention, and which of them the archive lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple


class OffsetRange(NamedTuple):
    """Offsets of one partition, without ``end``."""

    partition: int
    start: int
    end: int

    @property
    def offsets(self) -> int:
        """Number of offsets."""
        return self.end - self.start


def lost_ranges(positions: Mapping[int, int], starts: Mapping[int, int]) -> list[OffsetRange]:
    """Return what retention removed before it was read.

    Args:
        positions: by partition the next offset that the reader would read.
        starts: by partition the first offset that the topic still has.
    """
    return [
        OffsetRange(partition, position, starts[partition])
        for partition, position in sorted(positions.items())
        if position < starts.get(partition, 0)
    ]


class Coverage:
    """Which offsets of a range came, in rising order; the others are missing."""

    def __init__(self, expected: OffsetRange) -> None:
        self._expected, self._next = expected, expected.start
        self._missing: list[OffsetRange] = []

    def add(self, offset: int) -> bool:
        """Add the next offset; False if it came before, or is none of the range."""
        if not self._next <= offset < self._expected.end:
            return False
        self._skip_to(offset)
        self._next = offset + 1
        return True

    def missing(self) -> list[OffsetRange]:
        """Return the ranges that did not come, once all that there is has come."""
        self._skip_to(self._expected.end)
        self._next = self._expected.end
        return self._missing

    def _skip_to(self, offset: int) -> None:
        if offset > self._next:
            self._missing.append(OffsetRange(self._expected.partition, self._next, offset))


def ranges_text(topic: str, ranges: Iterable[OffsetRange]) -> str:
    """Name ranges by topic, partition, first and last offset."""
    return ", ".join(_texts(topic, ranges))


def _texts(topic: str, ranges: Iterable[OffsetRange]) -> Iterator[str]:
    for partition, start, end in ranges:
        yield f"{topic}-{partition} offsets {start} to {end - 1}"
