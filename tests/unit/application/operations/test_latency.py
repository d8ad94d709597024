"""Quantiles of exported histograms, whole and between two readings."""

from __future__ import annotations

import math

import pytest

from fraudwatch.application.operations.latency import Histogram, RecentLatency, histogram_of
from tests.operations import buckets


def a_histogram(*counts: float) -> Histogram:
    found = histogram_of(buckets(*zip(("0.1", "0.2", "+Inf"), counts, strict=True)))
    assert found is not None
    return found


def test_a_quantile_is_interpolated_in_its_bucket() -> None:
    found = a_histogram(50, 100, 100)
    assert found.quantile(0.5) == pytest.approx(0.1)
    assert found.quantile(0.25) == pytest.approx(0.05)
    assert found.quantile(0.99) == pytest.approx(0.198)


def test_a_quantile_beyond_the_last_bound_is_infinite() -> None:
    assert math.isinf(a_histogram(0, 50, 100).quantile(0.99))
    assert math.isnan(a_histogram(0, 0, 0).quantile(0.5))
    assert histogram_of(()) is None


def test_only_the_time_between_two_readings_counts() -> None:
    earlier, now = a_histogram(0, 1_000, 1_000), a_histogram(100, 1_100, 1_100)
    assert now.since(earlier).count == 100
    assert now.since(earlier).quantile(0.99) < 0.1 < now.quantile(0.99)
    assert earlier.since(now) == earlier  # its process was restarted
    assert now.since(Histogram(((0.5, 1), (math.inf, 1)))) == now  # other buckets


def test_readings_older_than_the_window_are_forgotten() -> None:
    recent = RecentLatency(window_ms=1_000)
    assert recent.add(a_histogram(10, 10, 10), 0) == (a_histogram(10, 10, 10), None)
    found, age_ms = recent.add(a_histogram(30, 30, 30), 900)
    assert (found.count, age_ms) == (20, 900)
    found, age_ms = recent.add(a_histogram(60, 60, 60), 1_500)
    assert (found.count, age_ms) == (30, 600)


def test_a_restart_begins_a_new_window() -> None:
    recent = RecentLatency(window_ms=1_000)
    recent.add(a_histogram(10, 10, 10), 0)
    assert recent.add(a_histogram(0, 4, 4), 500) == (a_histogram(0, 4, 4), None)
