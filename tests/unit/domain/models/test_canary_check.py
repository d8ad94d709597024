"""The band of a canary: a wrong model leaves it, and chance does not."""

from __future__ import annotations

import numpy as np
import pytest

from fraudwatch.domain.models.canary import in_canary
from fraudwatch.domain.models.canary_check import (
    BUCKETS,
    LEAST_PURCHASES,
    Group,
    deviation_of,
)
from fraudwatch.samples import a_token


def a_group(
    customers: int, *, seed: int, alert_ratio: float = 0.01, score_factor: float = 1.0
) -> Group:
    """Group whose customers buy three times each; one in 500 has an attack of alerts."""
    random, group = np.random.default_rng(seed), Group()
    for bucket, is_attacked, purchases in zip(
        random.integers(BUCKETS, size=customers),
        random.random(customers) < 0.002,
        random.poisson(3, customers),
        strict=True,
    ):
        for is_alert in random.random(purchases) < (0.9 if is_attacked else alert_ratio):
            group.buckets[bucket].add(
                {
                    "alerts": float(is_alert),
                    "declines": float(is_alert) * 0.5,
                    "score": (0.9 if is_alert else 0.004) * score_factor,
                }
            )
    return group


CHAMPION = a_group(8_000, seed=1)


@pytest.mark.parametrize("seed", range(2, 22))
def test_an_equal_model_stays(seed: int) -> None:
    assert deviation_of(a_group(500, seed=seed), CHAMPION) is None


@pytest.mark.parametrize(
    ("customers", "changes", "measure"),
    [
        (700, {"alert_ratio": 0.08}, "alerts"),
        (6_000, {"alert_ratio": 0.0}, "alerts"),
        (2_000, {"score_factor": 6.0}, "score"),
        (6_000, {"score_factor": 0.1}, "score"),
    ],
)
def test_another_model_leaves_the_band(
    customers: int, changes: dict[str, float], measure: str
) -> None:
    found = deviation_of(a_group(customers, seed=3, **changes), CHAMPION)  # type: ignore[arg-type]
    assert found is not None
    assert found.measure.name == measure
    assert found.deviations >= 4
    assert "0.5 to 2 times the champion's" in found.sentence


def test_an_attack_on_one_customer_rolls_nothing_back() -> None:
    canary = a_group(500, seed=5)
    attacked = canary.buckets[7]
    for _ in range(200):
        attacked.add({"alerts": 1.0, "declines": 1.0, "score": 0.99})
    # As many alerts spread over the customers are the model's doing.
    spread = a_group(500, seed=5)
    for place in range(200):
        spread.buckets[place % BUCKETS].add({"alerts": 1.0, "declines": 1.0, "score": 0.99})
    assert deviation_of(canary, CHAMPION) is None
    assert deviation_of(spread, CHAMPION) is not None


def test_few_purchases_decide_nothing() -> None:
    few = Group()
    for place in range(LEAST_PURCHASES - 1):
        few.buckets[place % BUCKETS].add({"alerts": 1.0, "declines": 1.0, "score": 1.0})
    assert deviation_of(few, CHAMPION) is None
    few.buckets[0].add({"alerts": 1.0, "declines": 1.0, "score": 1.0})
    assert deviation_of(few, CHAMPION) is not None


def test_without_any_alert_in_both_groups_nothing_deviates() -> None:
    quiet = Group()
    for place in range(2_000):
        quiet.buckets[place % BUCKETS].add({"alerts": 0.0, "declines": 0.0, "score": 0.0})
    assert deviation_of(quiet, quiet) is None


def test_a_customer_stays_in_a_group_and_each_canary_has_others() -> None:
    tokens = [f"{a_token('a')[:-4]}{number:04}" for number in range(20_000)]
    chosen = in_canary("0123456789ab", 0.05, tokens)
    assert chosen.tolist() == in_canary("0123456789ab", 0.05, tokens).tolist()
    assert 0.045 < chosen.mean() < 0.055
    # A larger share keeps those who were in the smaller one.
    assert in_canary("0123456789ab", 0.1, tokens)[chosen].all()
    other = in_canary("ba9876543210", 0.05, tokens)
    assert (chosen & other).mean() < 0.005
