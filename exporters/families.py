"""Build metric families by the names, kinds and meanings of the catalogue of metrics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from fraudwatch.observability.catalogue import METRICS
from fraudwatch.observability.catalogue.metric import Kind

Family = CounterMetricFamily | GaugeMetricFamily
Sample = tuple[Sequence[str], float]
"""Label values in the order of the catalogue, and the value."""


def family(name: str, samples: Iterable[Sample]) -> Family:
    """Build one family; a metric that the catalogue lacks is a KeyError."""
    metric = METRICS[name]
    build = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    built: Family = build(metric.name, metric.meaning, labels=metric.label_names)
    for labels, value in samples:
        built.add_metric(labels, value)
    return built


def single(name: str, value: float) -> Family:
    """Build a family of one sample without labels."""
    return family(name, [((), value)])
