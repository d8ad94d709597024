"""The figures by which a latency is told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def figures_of(values_ms: Sequence[float]) -> dict[str, float]:
    """Middle, 99th percentile and maximum: values that were measured, none made up between two.

    Of an even number the middle is the upper one, so that no figure looks better for it.
    """
    p50, p99, largest = np.quantile(values_ms, [0.5, 0.99, 1.0], method="higher").tolist()
    return {"p50": round(p50, 1), "p99": round(p99, 1), "max": round(largest, 1)}
