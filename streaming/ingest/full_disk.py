"""Slow ingest on a filling disk, and refuse on a full one, instead of losing what is accepted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from fraudwatch.application.ports import DiskFull, Publisher
from fraudwatch.domain.disk_guard import DiskLimits, DiskPressure
from fraudwatch.observability.metrics import gauge

# Every sender waits for it with each batch, so the batches of each sender are bounded.
SLOWED_SECONDS: Final = 0.5
_CHECK_SECONDS: Final = 1.0
_pressure = gauge("fraudwatch_ingest_disk_pressure")


@dataclass(slots=True)
class DiskGuardedTopic:
    """``Publisher`` that publishes as fast as the disk allows."""

    topic: Publisher
    limits: DiskLimits
    free_bytes: Callable[[], int]
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _checked_at: float = float("-inf")
    _current: DiskPressure = DiskPressure.NONE

    def publish(self, messages: Sequence[tuple[str, bytes, int]]) -> None:
        """Publish; see :meth:`fraudwatch.application.ports.Publisher.publish`.

        Raises:
            DiskFull: nothing was sent.
            NotDelivered: the broker did not acknowledge.
        """
        pressure = self._check()
        if pressure is DiskPressure.REFUSE:
            raise DiskFull(
                "the disk is full, so nothing was accepted and readers can catch up; free space "
                "on it (docs/runbooks/disk_almost_full.md), then send again"
            )
        if pressure is DiskPressure.SLOW:
            self.sleep(SLOWED_SECONDS)
        self.topic.publish(messages)

    def _check(self) -> DiskPressure:
        now = self.clock()
        if now - self._checked_at >= _CHECK_SECONDS:
            self._checked_at, self._current = now, self.limits.pressure(self.free_bytes())
            _pressure.set(self._current)
        return self._current
