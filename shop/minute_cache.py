"""Cache encoded minutes: each purchase is encoded once and served from memory while in use."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from threading import Lock

from shop.malformed import maybe_malform
from shop.plan import MINUTE_MS
from shop.world import World

CACHED_PURCHASES = 30_000  # of the history, and as many of the live time
_FEWEST_CACHED_MINUTES, _MOST_CACHED_MINUTES = 3, 2_000

# Canonical JSON: sorted keys, no spaces, ASCII. The extract's checksum depends on it.
canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class EncodedMinute:
    """The encoded purchases of a minute, and their times."""

    times_ms: tuple[int, ...]
    messages: tuple[bytes, ...]

    def count_until(self, now_ms: int) -> int:
        """Count those that have happened by now."""
        return bisect_right(self.times_ms, now_ms)


class MinuteCache:
    """Cache a world's minutes as a numbered stream of messages; thread-safe."""

    def __init__(self, world: World) -> None:
        self.plan = world.plan
        self._world = world
        self._totals = [0]  # purchases before the first minute, the second, the third ...
        self._lock = Lock()
        plan = world.plan
        # Two caches, or reading many small minutes of history would evict the large live minute.
        self._history = self._cached(plan.mean_purchases(plan.epoch_minute))
        self._live = self._cached(plan.mean_purchases(plan.live_from_minute))

    def minute(self, minute: int) -> EncodedMinute:
        """Return the messages of a minute, which may be in the future."""
        return (self._live if minute >= self.plan.live_from_minute else self._history)(minute)

    def count_before(self, minute: int) -> int:
        """Count the purchases before this minute since the beginning of the world."""
        minutes_before = minute - self.plan.epoch_minute
        with self._lock:
            if (known := len(self._totals) - 1) < minutes_before:
                first = self.plan.epoch_minute + known
                counts = map(self._world.count_of_minute, range(first, minute))
                self._totals += [*accumulate(counts, initial=self._totals[-1])][1:]
            return self._totals[max(0, minutes_before)]

    def count_until(self, now_ms: int) -> int:
        """Count the purchases that have happened by now since the beginning of the world."""
        minute = now_ms // MINUTE_MS
        return self.count_before(minute) + self.minute(minute).count_until(now_ms)

    def _cached(self, mean_purchases: float) -> Callable[[int], EncodedMinute]:
        fitting = int(CACHED_PURCHASES / max(mean_purchases, 1))
        size = min(max(fitting, _FEWEST_CACHED_MINUTES), _MOST_CACHED_MINUTES)
        return lru_cache(maxsize=size)(self._encode)

    def _encode(self, minute: int) -> EncodedMinute:
        purchases = self._world.purchases_of_minute(minute)
        seed = self.plan.seed
        return EncodedMinute(
            tuple(purchase["event_at_ms"] for purchase in purchases),
            tuple(canonical(maybe_malform(purchase, seed)).encode() for purchase in purchases),
        )
