"""Create the metrics of our own processes as the catalogue declares them, once each.

Series of closed label sets exist from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from fraudwatch.observability.batch_histogram import BatchHistogram
from fraudwatch.observability.catalogue import METRICS
from fraudwatch.observability.catalogue.metric import Kind, Metric

__all__ = ["METRICS", "batch_histogram", "counter", "gauge", "histogram"]

Instrument = TypeVar("Instrument", Counter, Gauge, Histogram)

# A second series for each counter and histogram, which nobody queries.
disable_created_metrics()  # type: ignore[no-untyped-call]


def counter(name: str, **own: str) -> Counter:
    """Return the counter of this name, without its ``_total``.

    Series of closed label sets exist from then on with 0, so that the first increase counts in a
    rate; ``own`` gives the only value of a label that this process has.
    """
    created, metric = _counter(name)
    _add_series(created, metric, own)
    return created


@cache
def gauge(name: str) -> Gauge:
    """Return the gauge of this name; its series begin with the initial value of the catalogue."""
    metric = _declaration(Kind.GAUGE, name)
    created = Gauge(name, metric.meaning, metric.label_names)
    series = _add_series(created, metric, {}) if metric.labels else [created]
    for one in series:
        one.set(metric.initial)
    return created


@cache
def histogram(name: str) -> Histogram:
    """Return the histogram of this name."""
    metric = _declaration(Kind.HISTOGRAM, name)
    created = Histogram(name, metric.meaning, metric.label_names, buckets=metric.buckets)
    _add_series(created, metric, {})
    return created


@cache
def batch_histogram(name: str) -> BatchHistogram:
    """Return the histogram of this name that is updated by whole batches; it has no labels."""
    metric = _declaration(Kind.HISTOGRAM, name)
    return BatchHistogram(name, metric.meaning, metric.buckets)


@cache
def _counter(name: str) -> tuple[Counter, Metric]:
    metric = _declaration(Kind.COUNTER, f"{name}_total")
    return Counter(name, metric.meaning, metric.label_names), metric


def _add_series(created: Instrument, metric: Metric, own: Mapping[str, str]) -> list[Any]:
    return [created.labels(*values) for values in metric.known_series(own)]


def _declaration(kind: Kind, name: str) -> Metric:
    metric = METRICS[name]
    if metric.kind is not kind:
        raise TypeError(f"{name} is declared as a {metric.kind}, not a {kind}")
    return metric
