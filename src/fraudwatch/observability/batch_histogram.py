"""Histogram that is updated by whole batches of counts."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import REGISTRY, Collector, CollectorRegistry


class BatchHistogram(Collector):
    """A Prometheus histogram updated by batches: the library's own takes one value a call.

    At tens of thousands of purchases a second those calls cost more than the scoring.
    """

    def __init__(
        self,
        name: str,
        meaning: str,
        bounds: Sequence[float],
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self._name, self._meaning = name, meaning
        self.bounds = tuple(bounds)
        self._counts = [0] * (len(self.bounds) + 1)
        self._sum = 0.0
        self._lock = threading.Lock()
        registry.register(self)

    def add(self, counts: Sequence[int], total: float) -> None:
        """Add counts of values, one for each bucket in order, then one above the last bound."""
        with self._lock:
            self._counts = [a + b for a, b in zip(self._counts, counts, strict=True)]
            self._sum += total

    def observe_all(self, values: Collection[float]) -> None:
        """Add a batch of values; callers with an array count it themselves and call ``add``."""
        counts = [0] * (len(self.bounds) + 1)
        for value in values:
            counts[bisect_left(self.bounds, value)] += 1
        self.add(counts, sum(values))

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Export the cumulative counts by bucket to Prometheus."""
        with self._lock:
            totals, total = list(accumulate(self._counts)), self._sum
        bounds = [*map(str, self.bounds), "+Inf"]
        buckets = list(zip(bounds, totals, strict=True))
        yield HistogramMetricFamily(self._name, self._meaning, buckets=buckets, sum_value=total)
