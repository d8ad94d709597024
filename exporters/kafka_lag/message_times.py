"""Find when unread messages were produced, by searching times: no message is ever read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from fraudwatch.adapters.kafka_log.positions import Partition, TimedOffset

FirstSince = Callable[[Mapping[Partition, int]], Mapping[Partition, TimedOffset | None]]
"""The first message of each partition that is not older than a time."""

# An age is exact to a hundredth, or to these milliseconds.
_RATIO: Final = 0.01
_SMALLEST_AGE_MS: Final = 100.0
_MAX_ROUNDS: Final = 40


@dataclass(slots=True)
class _Search:
    """A message at ``offset`` that was produced between ``low_ms`` and ``high_ms``."""

    offset: int
    low_ms: float
    high_ms: float
    now_ms: float

    @property
    def is_done(self) -> bool:
        return self.high_ms - self.low_ms <= max(
            _SMALLEST_AGE_MS, _RATIO * (self.now_ms - self.low_ms)
        )

    def next_ms(self) -> int:
        """Return the next time to ask about: the geometric middle of the possible ages."""
        oldest = max(self.now_ms - self.low_ms, _SMALLEST_AGE_MS)
        newest = max(self.now_ms - self.high_ms, _SMALLEST_AGE_MS / 2)
        middle = self.now_ms - math.sqrt(oldest * newest)
        return int(min(max(middle, self.low_ms + 1), self.high_ms - 1))

    def narrow(self, asked_ms: int, found: TimedOffset | None) -> None:
        """Narrow by the first message since ``asked_ms``."""
        if found is None or found.offset > self.offset:
            self.high_ms = float(asked_ms)
        elif found.offset == self.offset:
            self.low_ms = self.high_ms = float(found.at_ms)
        else:
            self.low_ms = min(float(max(asked_ms, found.at_ms)), self.high_ms)


class MessageTimes:
    """Times of the messages at given offsets; what was found before narrows the next search."""

    def __init__(self, first_since: FirstSince) -> None:
        self._first_since = first_since
        self._known: dict[tuple[str, Partition], TimedOffset] = {}

    def find_ms(
        self, reader: str, offsets: Mapping[Partition, int], now_ms: int
    ) -> dict[Partition, int]:
        """Return about when the message at each offset was produced, in epoch ms.

        ``reader`` names whose offsets these are: they grow, and so do their times.
        """
        searches = {
            partition: self._begin((reader, partition), offset, now_ms)
            for partition, offset in offsets.items()
        }
        for _ in range(_MAX_ROUNDS):
            asked = {p: one.next_ms() for p, one in searches.items() if not one.is_done}
            if not asked:
                break
            for partition, found in self._first_since(asked).items():
                searches[partition].narrow(asked[partition], found)
        for partition, one in searches.items():
            self._known[reader, partition] = TimedOffset(one.offset, int(one.low_ms))
        return {partition: int(one.low_ms) for partition, one in searches.items()}

    def _begin(self, key: tuple[str, Partition], offset: int, now_ms: int) -> _Search:
        known = self._known.get(key)
        high_ms = float(now_ms + 1)
        if known is None or known.offset > offset:
            return _Search(offset, 0.0, high_ms, now_ms)
        if known.offset == offset:
            return _Search(offset, known.at_ms, known.at_ms, now_ms)
        return _Search(offset, known.at_ms, max(high_ms, known.at_ms), now_ms)
