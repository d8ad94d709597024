from __future__ import annotations

import math
import random

import pytest

from chaos.soak.growth import Growth, GrowthVerdict, fit

MINUTES = [minute / 60 for minute in range(40, 120)]


def noisy(growth: float, seed: int, *, noise: float = 5.0) -> list[float]:
    rng = random.Random(seed)
    return [500 + growth * hours + rng.gauss(0, noise) for hours in MINUTES]


def test_a_straight_line_is_found_exactly() -> None:
    found = fit(MINUTES, [500 + 30 * hours for hours in MINUTES])
    assert found.mib_per_hour == pytest.approx(30)
    assert found.margin_mib_per_hour == pytest.approx(0, abs=1e-6)
    assert found.readings == 80


def test_flat_memory_grows_by_nothing() -> None:
    found = fit(MINUTES, [500.0] * 80)
    assert found.mib_per_hour == pytest.approx(0, abs=1e-6)
    assert found.against(1) is GrowthVerdict.BELOW


def test_the_interval_holds_the_true_growth_in_most_runs() -> None:
    found = [fit(MINUTES, noisy(20, seed)) for seed in range(200)]
    covered = sum(abs(one.mib_per_hour - 20) <= one.margin_mib_per_hour for one in found)
    assert 185 <= covered < 200, "95 of 100, and neither all nor few"


def test_readings_that_follow_each_other_widen_the_interval() -> None:
    rng, level, wandering = random.Random(1), 0.0, []
    for _ in MINUTES:
        level = 0.8 * level + rng.gauss(0, 3)
        wandering.append(500 + level)
    spread = math.sqrt(sum((one - 500) ** 2 for one in wandering) / len(wandering))
    independent = fit(MINUTES, noisy(0, 1, noise=spread))
    assert fit(MINUTES, wandering).margin_mib_per_hour > 2 * independent.margin_mib_per_hour


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_readings_decide_nothing(count: int) -> None:
    found = fit(MINUTES[:count], [500.0] * count)
    assert math.isinf(found.margin_mib_per_hour)
    assert found.against(50) is GrowthVerdict.UNDECIDED


@pytest.mark.parametrize(
    ("growth", "margin", "verdict"),
    [
        (10, 5, GrowthVerdict.BELOW),
        (48, 5, GrowthVerdict.UNDECIDED),
        (52, 5, GrowthVerdict.UNDECIDED),
        (60, 5, GrowthVerdict.ABOVE),
        (-40, 5, GrowthVerdict.BELOW),
    ],
)
def test_the_whole_interval_is_compared_with_the_bound(
    growth: float, margin: float, verdict: GrowthVerdict
) -> None:
    assert Growth(growth, margin, 80).against(50) is verdict
