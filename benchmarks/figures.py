"""Compute percentiles of measured latencies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def latency_percentiles(values_ms: Sequence[float]) -> dict[str, float]:
    """Return median, 99th percentile and maximum, as measured values without interpolation.

    Of an even number of values the median is the upper one: the worse of the two.
    """
    p50, p99, largest = np.quantile(values_ms, [0.5, 0.99, 1.0], method="higher").tolist()
    return {"p50": round(p50, 1), "p99": round(p99, 1), "max": round(largest, 1)}
