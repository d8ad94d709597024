"""Histogram of latencies that is updated by whole batches of counts."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import REGISTRY, Collector, CollectorRegistry


class LatencyHistogram(Collector):
    """A Prometheus histogram updated by batches: the library's own takes one value a call.

    At tens of thousands of purchases a second those calls cost more than the scoring.
    """

    def __init__(
        self,
        name: str,
        meaning: str,
        bounds_seconds: Sequence[float],
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self._name, self._meaning = name, meaning
        self.bounds_seconds = tuple(bounds_seconds)
        self._counts = [0] * (len(self.bounds_seconds) + 1)
        self._sum_seconds = 0.0
        self._lock = threading.Lock()
        registry.register(self)

    def add(self, counts: Sequence[int], sum_seconds: float) -> None:
        """Add counts of latencies: one for each bucket in order, then one above the last bound."""
        with self._lock:
            self._counts = [a + b for a, b in zip(self._counts, counts, strict=True)]
            self._sum_seconds += sum_seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Export the cumulative counts by bucket to Prometheus."""
        with self._lock:
            totals, seconds = list(accumulate(self._counts)), self._sum_seconds
        bounds = [*map(str, self.bounds_seconds), "+Inf"]
        buckets = list(zip(bounds, totals, strict=True))
        yield HistogramMetricFamily(self._name, self._meaning, buckets=buckets, sum_value=seconds)
