"""Measure the time of a process by phase, in a counter of seconds."""

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
    def timed(self, phase: str) -> Iterator[None]:
        """Count the time of the block as spent on this phase, also if it raises."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds.labels(phase=phase).inc(time.perf_counter() - began)
