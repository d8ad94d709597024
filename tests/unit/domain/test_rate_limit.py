from __future__ import annotations

import pytest

from fraudwatch.domain.rate_limit import RateLimits


@pytest.mark.parametrize(("per_second", "burst"), [(0.1, 1), (1, 1), (5, 5), (2.5, 2)])
def test_a_burst_of_one_second_then_the_rate(per_second: float, burst: int) -> None:
    limits = RateLimits()
    allowed = [limits.wait_seconds("a", per_second, 0.0) == 0 for _ in range(burst + 1)]
    assert allowed == [True] * burst + [False]
    over_ten_seconds = [
        limits.wait_seconds("a", per_second, second / 100) == 0 for second in range(1, 10_001)
    ]
    assert sum(over_ten_seconds) == pytest.approx(per_second * 100, abs=1)


def test_the_wait_is_exact_and_a_refused_request_is_not_counted() -> None:
    limits = RateLimits()
    assert limits.wait_seconds("a", 0.5, 10.0) == 0
    assert [limits.wait_seconds("a", 0.5, 10.5) for _ in range(3)] == [1.5] * 3
    assert limits.wait_seconds("a", 0.5, 12.0) == 0
    assert limits.wait_seconds("b", 0.5, 12.0) == 0


def test_a_clock_that_goes_back_adds_nothing_and_a_new_rate_counts_at_once() -> None:
    limits = RateLimits()
    assert limits.wait_seconds("a", 1.0, 10.0) == 0
    assert limits.wait_seconds("a", 1.0, 5.0) == 1.0
    assert limits.wait_seconds("a", 2.0, 5.0) == 0
