"""Aggregate StatsD samples to the series that Prometheus scrapes, named as statsd_exporter does.

Counters keep their name, without ``_total``; their type is therefore untyped. Timers are histograms
in seconds. Series stay until the bridge ends; then counters begin at 0, and gauges with their next
value.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from exporters.statsd_bridge.lines import BadLine, Kind, Sample, parse_line
from exporters.statsd_bridge.mapping import MappedName, Mapping

Labels = tuple[tuple[str, str], ...]
_HELP: Final = "Received by StatsD"
_TYPES: Final = {Kind.COUNTER: "unknown", Kind.GAUGE: "gauge", Kind.TIMER: "histogram"}
_OF_HISTOGRAM: Final = ("_bucket", "_count", "_sum")


@dataclass(slots=True)
class Observations:
    """Observations of one histogram: number by bucket, the last one without a bound, and sum."""

    counts: list[int]
    total: float = 0.0

    def add(self, value: float, times: int, buckets: Sequence[float]) -> None:
        """Count an observation in its bucket."""
        self.counts[bisect_left(buckets, value)] += times
        self.total += value * times

    def cumulative(self, buckets: Sequence[float]) -> list[tuple[str, float]]:
        """Return the counts as Prometheus has them: each with all smaller ones."""
        bounds = [f"{bound:.12g}" for bound in buckets] + ["+Inf"]
        return [(bound, sum(self.counts[: i + 1])) for i, bound in enumerate(bounds)]


@dataclass(slots=True)
class Family:
    """All series of one metric."""

    kind: Kind
    values: dict[Labels, float] = field(default_factory=dict)
    observations: dict[Labels, Observations] = field(default_factory=dict)


class Series(Collector):
    """All series of the bridge; thread-safe."""

    def __init__(self, mapping: Mapping) -> None:
        """Begin without a series."""
        self._mapping = mapping
        self._families: dict[str, Family] = {}
        self._exposed: dict[str, str] = {}
        """Metric by every name that it exposes."""
        self._lock = Lock()

    def receive(self, line: bytes) -> None:
        """Add the samples of one line.

        Raises:
            BadLine: the line, or one of its samples, cannot be used.
        """
        for sample in parse_line(line):
            mapped = self._mapping.mapped(sample)
            if mapped is not None:
                with self._lock:
                    self._add(mapped, sample)

    def collect(self) -> Iterator[Metric]:
        """Return all metrics for a scrape."""
        with self._lock:
            collected = [self._collected(*item) for item in sorted(self._families.items())]
        yield from collected

    def _add(self, mapped: MappedName, sample: Sample) -> None:
        family = self._family(mapped.name, sample.kind)
        if sample.kind is Kind.TIMER:
            buckets = self._mapping.buckets
            fresh = Observations([0] * (len(buckets) + 1))
            observed = family.observations.setdefault(mapped.labels, fresh)
            observed.add(sample.value, sample.times, buckets)
            return
        is_added = sample.is_change or sample.kind is Kind.COUNTER
        before = family.values.get(mapped.labels, 0.0) if is_added else 0.0
        family.values[mapped.labels] = before + sample.value

    def _family(self, name: str, kind: Kind) -> Family:
        if name in self._families and self._families[name].kind is kind:
            return self._families[name]
        exposed = [name, *(name + end for end in _OF_HISTOGRAM if kind is Kind.TIMER)]
        if clash := next((one for one in exposed if one in self._exposed), None):
            raise BadLine(f"{clash} is already part of another metric, {self._exposed[clash]}")
        self._exposed |= dict.fromkeys(exposed, name)
        return self._families.setdefault(name, Family(kind))

    def _collected(self, name: str, family: Family) -> Metric:
        metric = Metric(name, _HELP, _TYPES[family.kind])
        for labels, value in family.values.items():
            metric.add_sample(name, dict(labels), value)
        for labels, observed in family.observations.items():
            one = HistogramMetricFamily(name, _HELP, labels=[key for key, _ in labels])
            values = [value for _, value in labels]
            one.add_metric(values, observed.cumulative(self._mapping.buckets), observed.total)
            metric.samples += one.samples
        return metric
