from __future__ import annotations

import pytest

from benchmarks.figures import latency_percentiles


@pytest.mark.parametrize(
    ("values_ms", "p50", "p99", "largest"),
    [
        ([7.04], 7.0, 7.0, 7.0),
        ([4, 1, 3, 2], 3.0, 4.0, 4.0),
        ([float(n) for n in range(101)], 50.0, 99.0, 100.0),
        ([float(n) for n in range(1_000)], 500.0, 990.0, 999.0),
    ],
)
def test_percentiles_are_measured_values_rounded_up(
    values_ms: list[float], p50: float, p99: float, largest: float
) -> None:
    assert latency_percentiles(values_ms) == {"p50": p50, "p99": p99, "max": largest}
