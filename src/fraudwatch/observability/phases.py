"""Where a process's time goes: a counter of seconds, split by phase."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import Counter


@dataclass(frozen=True, slots=True)
class Phases:
    """The phases of one process; its counter has the one label ``phase``."""

    seconds: Counter

    @contextmanager
    def spent(self, phase: str) -> Iterator[None]:
        """Count the time within as spent on this phase, whatever comes of it."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds.labels(phase=phase).inc(time.perf_counter() - began)
