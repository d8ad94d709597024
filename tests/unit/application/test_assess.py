from __future__ import annotations

import numpy as np
import pytest

from fraudwatch.application.assess import assess
from fraudwatch.domain.features.catalogue import FEATURE_INDEX, FEATURES
from fraudwatch.domain.policy import Level, Policy
from fraudwatch.domain.rules.high_amount import HighAmount
from fraudwatch.domain.rules.impossible_travel import ImpossibleTravel
from fraudwatch.domain.rules.rapid_purchases import RapidPurchases
from fraudwatch.domain.rules.rule import Seen
from fraudwatch.domain.verdict import Outcome, Risk

POLICY = Policy(
    "test",
    (
        HighAmount(points=50, at_least_eur_cents=100_000),
        RapidPurchases(points=30, more_than=6),
        ImpossibleTravel(points=80, faster_than_kmh=1_000, farther_than_km=300),
    ),
    (
        Level(Risk.LOW, 0.0, Outcome.APPROVE),
        Level(Risk.MEDIUM, 0.3, Outcome.REVIEW),
        Level(Risk.HIGH, 0.5, Outcome.REVIEW),
        Level(Risk.CRITICAL, 0.8, Outcome.DECLINE),
    ),
)


def seen(*purchases: tuple[int, int, float]) -> Seen:
    """Of (euro cents, purchases in ten minutes, km/h)."""
    features = np.zeros((len(purchases), len(FEATURES)))
    for row, (_, count, kmh) in enumerate(purchases):
        features[row, FEATURE_INDEX["purchase_count_10m"]] = count
        features[row, FEATURE_INDEX["from_located_kmh"]] = kmh
        features[row, FEATURE_INDEX["from_located_km"]] = kmh
    return Seen(np.array([amount for amount, _, _ in purchases]), features)


@pytest.mark.parametrize(
    ("purchase", "score", "risk", "rules"),
    [
        ((100, 0, 0.0), 0.0, Risk.LOW, []),
        ((100, 6, 0.0), 0.3, Risk.MEDIUM, ["rapid_purchases"]),
        ((100_000, 0, 0.0), 0.5, Risk.HIGH, ["high_amount"]),
        ((100_000, 6, np.nan), 0.8, Risk.CRITICAL, ["high_amount", "rapid_purchases"]),
        (
            (100_000, 6, 5_000.0),
            1.0,
            Risk.CRITICAL,
            ["impossible_travel", "high_amount", "rapid_purchases"],
        ),
    ],
)
def test_points_add_up_to_a_level_and_the_strongest_reason_comes_first(
    purchase: tuple[int, int, float], score: float, risk: Risk, rules: list[str]
) -> None:
    held = assess(seen(purchase), POLICY)
    assert held.score[0] == score
    assert POLICY.levels[held.level[0]].risk is risk
    assert [reason.rule for reason in held.reasons[0]] == rules


def test_a_batch_is_judged_as_its_purchases_are_one_by_one() -> None:
    purchases = [(100, 0, 0.0), (100_000, 9, np.nan), (5, 2, 9_999.0)]
    together = assess(seen(*purchases), POLICY)
    for row, purchase in enumerate(purchases):
        alone = assess(seen(purchase), POLICY)
        assert together.score[row] == alone.score[0]
        assert together.reasons[row] == alone.reasons[0]
