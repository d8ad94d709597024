from __future__ import annotations

import dataclasses
import math
from typing import cast

import numpy as np
import pytest

from fraudwatch.application.scoring.serving_bounds import serving_bounds
from fraudwatch.domain.calibration.alert_curve import alert_curve_of
from fraudwatch.domain.calibration.calibration import Calibration
from fraudwatch.domain.calibration.calibrator import Calibrator
from fraudwatch.domain.calibration.labelled_curve import labelled_curve_of
from fraudwatch.domain.calibration.novelty_curve import novelty_curve_of
from fraudwatch.domain.messages.verdict import Outcome, Risk
from fraudwatch.domain.models.active_models import ActiveModels, AnomalyModel
from fraudwatch.domain.policy.bounds import NO_BOUNDS, bounds_of, check_floors
from fraudwatch.domain.policy.policy import (
    AlertBudget,
    BrokenPolicy,
    DeclineLimits,
    FixedScore,
    Level,
    Policy,
)

DAYS, A_DAY = 10, 1_000
RANDOM = np.random.default_rng(3)
SCORE = np.where(
    RANDOM.random(DAYS * A_DAY) < 0.03,
    RANDOM.beta(9.0, 0.3, DAYS * A_DAY),
    RANDOM.beta(0.1, 4.0, DAYS * A_DAY),
)
DAY = np.repeat(np.arange(DAYS), A_DAY)
IS_FRAUD = RANDOM.random(len(SCORE)) < SCORE  # calibrated
HITS = np.stack([RANDOM.random(len(SCORE)) < 0.01, RANDOM.random(len(SCORE)) < 0.1], axis=1)
ANOMALY = RANDOM.random(len(SCORE))
CALIBRATION = Calibration(
    model_sha256="a" * 64,
    forest_sha256=None,
    features_version="1.1",
    label_delay_days=3,
    fitted_at_ms=0,
    folds="one",
    calibrator=Calibrator(np.array([0.0]), np.array([0.0])),
    alert_curve=alert_curve_of(SCORE, DAY, HITS, ["impossible_travel", "rapid_purchases"]),
    labelled_curve=labelled_curve_of(SCORE, IS_FRAUD, np.ones(len(SCORE))),
    novelty_curve=novelty_curve_of(ANOMALY, SCORE, DAY, harmless_below=0.05),
)
POLICY = Policy(
    version="test",
    rules=(),
    levels=tuple(Level(risk, 25 * place) for place, risk in enumerate(Risk)),
    floors={"impossible_travel": Outcome.REVIEW},
    review=AlertBudget(60),
    decline=DeclineLimits(0.9, 0.01),
    novelty_alerts_a_day=5,
)


def alerts_a_day(policy: Policy) -> float:
    """All that an analyst has to look at: score, floors, novelty."""
    bounds = bounds_of(policy, CALIBRATION)
    is_alert = (bounds.review_from <= SCORE) | HITS[:, 0]
    is_novel = (bounds.review_from > SCORE) & (bounds.novel_from_anomaly <= ANOMALY)
    return float((is_alert | is_novel).sum() / DAYS)


@pytest.mark.parametrize("budget", [50, 60, 90])
def test_the_budget_counts_score_floors_and_novelty(budget: float) -> None:
    policy = dataclasses.replace(POLICY, review=AlertBudget(budget))
    assert budget * 0.9 <= alerts_a_day(policy) <= budget * 1.05


def test_a_shop_of_few_purchases_does_not_have_all_of_them_reviewed() -> None:
    policy = dataclasses.replace(POLICY, review=AlertBudget(900, share_at_most=0.1))
    assert 90 <= alerts_a_day(policy) <= 106


def test_declines_keep_the_stricter_of_both_limits() -> None:
    bounds = bounds_of(POLICY, CALIBRATION)
    declined = bounds.decline_from <= SCORE
    assert IS_FRAUD[declined].mean() >= 0.9
    assert (declined & ~IS_FRAUD).sum() / (~IS_FRAUD).sum() <= 0.01
    stricter = dataclasses.replace(POLICY, decline=DeclineLimits(0.9, 0.001))
    assert bounds_of(stricter, CALIBRATION).decline_from > bounds.decline_from
    never = dataclasses.replace(POLICY, decline=DeclineLimits(0.9, 0.00001))
    assert bounds_of(never, CALIBRATION).decline_from == math.inf


def test_fixed_scores_are_used_as_they_are_and_review_never_begins_above_them() -> None:
    fixed = dataclasses.replace(POLICY, review=FixedScore(0.2), decline=FixedScore(0.8))
    bounds = bounds_of(fixed, CALIBRATION)
    assert (bounds.review_from, bounds.decline_from) == (0.2, 0.8)
    tight = dataclasses.replace(fixed, review=AlertBudget(11), decline=FixedScore(0.1))
    assert bounds_of(tight, CALIBRATION).review_from == 0.1


def test_there_are_no_bounds_without_a_model_or_by_points() -> None:
    assert bounds_of(POLICY, None) == NO_BOUNDS
    by_points = dataclasses.replace(POLICY, scores_by_points=True)
    assert bounds_of(by_points, CALIBRATION) == NO_BOUNDS


def test_floors_above_the_budget_are_refused_with_the_figure() -> None:
    check_floors(POLICY, CALIBRATION)
    check_floors(POLICY, None)
    floors = {"impossible_travel": Outcome.REVIEW, "rapid_purchases": Outcome.REVIEW}
    policy = dataclasses.replace(POLICY, floors=floors)
    expected = HITS.any(axis=1).sum() / DAYS
    with pytest.raises(BrokenPolicy, match=f"alone make {expected:.1f} alerts a day"):
        check_floors(policy, CALIBRATION)
    # A calibration that comes later cannot be refused: then only declines are by score.
    bounds = bounds_of(policy, CALIBRATION)
    assert bounds.review_from == bounds.decline_from


@dataclasses.dataclass(frozen=True)
class Forest:
    version: str


@pytest.mark.parametrize(
    ("counted", "active", "is_bounded"),
    [("f" * 64, "f" * 12, True), ("f" * 64, "e" * 12, False), (None, "e" * 12, False)],
)
def test_novelty_has_a_bound_only_with_the_forest_that_counted_it(
    counted: str | None, active: str, *, is_bounded: bool
) -> None:
    calibration = dataclasses.replace(CALIBRATION, forest_sha256=counted)
    models = ActiveModels(anomaly=cast("AnomalyModel", Forest(active)), calibration=calibration)
    bounds = serving_bounds(POLICY, models)
    assert math.isfinite(bounds.novel_from_anomaly) is is_bounded
    assert bounds.review_from == bounds_of(POLICY, calibration).review_from
