"""Pace a replay: an even rate in real time, or as fast as ingest accepts."""

from __future__ import annotations

import math
from collections.abc import Callable

LARGEST_BATCH = 1_000  # limit of ingest for one request
REQUESTS_PER_SECOND = 20  # a rate is spread over this many requests: even, yet cheap
LONGEST_LAG_SECONDS = 1.0


class Pace:
    """Sets the size of requests, and waits until the next one is due."""

    def __init__(
        self,
        per_second: float | None,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._per_second = per_second
        self._clock = clock
        self._sleep = sleep
        self._due: float | None = None

    @property
    def batch_size(self) -> int:
        """Purchases in one request."""
        if self._per_second is None:
            return LARGEST_BATCH
        return max(1, min(LARGEST_BATCH, math.ceil(self._per_second / REQUESTS_PER_SECOND)))

    def wait(self, purchases: int) -> None:
        """Wait until a request with this many purchases is due."""
        if self._per_second is None:
            return
        now = self._clock()
        due = now if self._due is None else self._due
        if due > now:
            self._sleep(due - now)
        elif now - due > LONGEST_LAG_SECONDS:
            due = now  # after a stall the rate continues without a burst to catch up
        self._due = due + purchases / self._per_second
