"""Quantiles of a histogram metric, also of the time between two readings."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from fraudwatch.application.operations.exporters import Sample

P50, P99 = 0.5, 0.99


@dataclass(frozen=True, slots=True)
class Histogram:
    """Cumulative counts by upper bound, as Prometheus exports them; the last bound is infinite."""

    buckets: tuple[tuple[float, float], ...]

    @property
    def count(self) -> float:
        """Number of observations."""
        return self.buckets[-1][1]

    def quantile(self, ratio: float) -> float:
        """Return a quantile, interpolated within its bucket; infinite beyond the last bound.

        NaN without an observation.
        """
        if not self.count:
            return math.nan
        rank, lower, below = ratio * self.count, 0.0, 0.0
        for upper, cumulative in self.buckets:
            if cumulative >= rank:
                share = (rank - below) / (cumulative - below) if cumulative > below else 1.0
                return upper if math.isinf(upper) else lower + (upper - lower) * share
            lower, below = upper, cumulative
        return math.inf

    def since(self, earlier: Histogram) -> Histogram:
        """Return the observations after an earlier reading; all of them after a restart."""
        pairs = list(zip(self.buckets, earlier.buckets, strict=False))
        is_same = len(self.buckets) == len(earlier.buckets) == len(pairs) and all(
            now[0] == then[0] and now[1] >= then[1] for now, then in pairs
        )
        if not is_same:
            return self
        return Histogram(tuple((now[0], now[1] - then[1]) for now, then in pairs))


def histogram_of(samples: Iterable[Sample]) -> Histogram | None:
    """Build a histogram from the samples of its buckets; None without any."""
    buckets = sorted((float(one.labels["le"]), one.value) for one in samples)
    return Histogram(tuple(buckets)) if buckets else None


@dataclass(slots=True)
class RecentLatency:
    """Histogram of the last minutes, from the readings that were added."""

    window_ms: int
    _readings: deque[tuple[int, Histogram]] = field(default_factory=deque)

    def add(self, histogram: Histogram, at_ms: int) -> tuple[Histogram, int | None]:
        """Add a reading; return the histogram since the oldest kept reading, and its age.

        The first reading has none before it: it returns the whole histogram, and None.
        """
        while self._readings and at_ms - self._readings[0][0] > self.window_ms:
            self._readings.popleft()
        if self._readings and histogram.count < self._readings[-1][1].count:
            self._readings.clear()  # its process was restarted
        self._readings.append((at_ms, histogram))
        oldest_ms, oldest = self._readings[0]
        if oldest_ms == at_ms:
            return histogram, None
        return histogram.since(oldest), at_ms - oldest_ms
