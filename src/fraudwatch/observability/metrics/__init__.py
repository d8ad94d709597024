"""Metrics: one catalogue of all names, and the instruments of our own processes.

The catalogue has kind, unit, meaning, labels and when to worry; ``docs/metrics.md`` is generated
from it. A process creates those that it exports, once each.
"""

from fraudwatch.observability.metrics.catalogue import METRICS, SECTIONS
from fraudwatch.observability.metrics.instruments import (
    batch_histogram,
    counter,
    gauge,
    histogram,
    latencies,
)

__all__ = ["METRICS", "SECTIONS", "batch_histogram", "counter", "gauge", "histogram", "latencies"]
