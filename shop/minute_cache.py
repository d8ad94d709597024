"""Minutes as bytes: each purchase is encoded once and served from memory while it is in use."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from threading import Lock

from shop.malformed import as_sent
from shop.plan import MINUTE_MS
from shop.world import World

CACHED_PURCHASES = 30_000  # of history, and as many of the live time
_FEWEST_CACHED_MINUTES, _MOST_CACHED_MINUTES = 3, 2_000

# One spelling for one purchase: sorted keys, no spaces, ASCII. The extract's checksum rests on it.
canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class ToldMinute:
    """The purchases of a minute as they go over the wire, with their times beside them."""

    times_ms: tuple[int, ...]
    messages: tuple[bytes, ...]

    def known_at(self, now_ms: int) -> int:
        """How many of them have happened by now."""
        return bisect_right(self.times_ms, now_ms)


class Told:
    """A world as a numbered stream of messages; thread-safe."""

    def __init__(self, world: World) -> None:
        self.plan = world.plan
        self._world = world
        self._totals = [0]  # purchases before the first minute, the second, the third ...
        self._counting = Lock()
        plan = world.plan
        # Apart, or a reader of many thin minutes of history would drive out the thick live one.
        self._history = self._cached(plan.mean_purchases(plan.epoch_minute))
        self._live = self._cached(plan.mean_purchases(plan.live_from_minute))

    def minute(self, minute: int) -> ToldMinute:
        """The messages of a minute, also of one that is still to come."""
        return (self._live if minute >= self.plan.live_from_minute else self._history)(minute)

    def before(self, minute: int) -> int:
        """How many purchases precede this minute, counted from the beginning of the world."""
        wanted = minute - self.plan.epoch_minute
        with self._counting:
            if (known := len(self._totals) - 1) < wanted:
                first = self.plan.epoch_minute + known
                counts = map(self._world.count_of_minute, range(first, minute))
                self._totals += [*accumulate(counts, initial=self._totals[-1])][1:]
            return self._totals[max(0, wanted)]

    def known_at(self, now_ms: int) -> int:
        """How many purchases have happened by now, counted from the beginning of the world."""
        minute = now_ms // MINUTE_MS
        return self.before(minute) + self.minute(minute).known_at(now_ms)

    def _cached(self, mean_purchases: float) -> Callable[[int], ToldMinute]:
        fitting = int(CACHED_PURCHASES / max(mean_purchases, 1))
        size = min(max(fitting, _FEWEST_CACHED_MINUTES), _MOST_CACHED_MINUTES)
        return lru_cache(maxsize=size)(self._told)

    def _told(self, minute: int) -> ToldMinute:
        purchases = self._world.purchases_of_minute(minute)
        seed = self.plan.seed
        return ToldMinute(
            tuple(purchase["event_at_ms"] for purchase in purchases),
            tuple(canonical(as_sent(purchase, seed)).encode() for purchase in purchases),
        )
