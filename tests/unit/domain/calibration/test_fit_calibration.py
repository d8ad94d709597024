from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fraudwatch.domain.calibration.calibration import Calibration
from fraudwatch.domain.calibration.calibrator import BrokenCalibration, probability_of
from fraudwatch.domain.calibration.fit_calibration import (
    HARMLESS_BELOW,
    CalibratedModel,
    RecordedPurchases,
    fit_calibration,
    pooled,
    rule_hits,
    with_curves_of,
)
from fraudwatch.domain.calibration.fit_calibrator import fit_calibrator

FOREST = "f" * 64
MODEL = CalibratedModel(
    sha256="a" * 64, forest_sha256=FOREST, features_version="today", label_delay_days=3
)
DAYS, A_DAY = 4, 500
COUNT = DAYS * A_DAY


def purchases(**changes: Any) -> RecordedPurchases:
    random = np.random.default_rng(2)
    rule_sets = np.array([""] * COUNT, dtype=np.object_)
    rule_sets[::10] = "rapid_purchases"
    rule_sets[::50] = "high_amount,rapid_purchases"
    usual: dict[str, Any] = {
        "day": np.repeat(np.arange(DAYS), A_DAY),
        "rule_sets": rule_sets,
        "anomaly": random.random(COUNT),
        "forest_version": np.array([FOREST[:12]] * COUNT, dtype=np.object_),
    }
    return RecordedPurchases(**usual | changes)


def labelled(seed: int = 1) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    log_odds = random.normal(-3, 2, COUNT)
    return log_odds, random.random(COUNT) < probability_of(log_odds - 1)


def fitted(
    log_odds: Any, is_fraud: Any, given: RecordedPurchases, model: CalibratedModel, folds: str = ""
) -> Calibration:
    everything = np.ones(COUNT, np.bool_)
    return fit_calibration(log_odds, is_fraud, everything, given, model, folds=folds)


def test_a_calibration_has_all_curves_of_the_same_purchases() -> None:
    log_odds, is_fraud = labelled()
    found = fitted(log_odds, is_fraud, purchases(), MODEL, folds="prequential, 1 fold")
    score = found.score(log_odds)
    assert score.mean() == pytest.approx(is_fraud.mean(), rel=0.1)
    assert (found.model_sha256, found.forest_sha256) == ("a" * 64, FOREST)
    assert (found.folds, found.label_delay_days) == ("prequential, 1 fold", 3)
    assert found.alert_curve.days == DAYS
    assert found.alert_curve.alerts_a_day(0.0, frozenset()) == A_DAY
    assert found.alert_curve.floors_a_day({"rapid_purchases"}) == A_DAY / 10
    assert found.alert_curve.floors_a_day({"high_amount"}) == A_DAY / 50
    assert found.labelled_curve.fraud[-1] == is_fraud.sum()
    assert found.novelty_curve is not None
    assert found.novelty_curve.purchases[-1] == (score < HARMLESS_BELOW).sum()


def test_only_days_of_the_active_forest_count_for_novelty() -> None:
    log_odds, is_fraud = labelled()
    known = purchases()
    versions, anomaly = known.forest_version.copy(), known.anomaly.copy()
    versions[known.day == 0] = "another one"
    anomaly[A_DAY : A_DAY + 30] = np.nan  # 6 % of the second day
    given = replace(known, forest_version=versions, anomaly=anomaly)
    found = fitted(log_odds, is_fraud, given, MODEL)
    harmless = (found.score(log_odds) < HARMLESS_BELOW) & (known.day >= 2)
    assert found.novelty_curve is not None
    assert found.novelty_curve.days == 2
    assert found.novelty_curve.purchases[-1] == harmless.sum()


@pytest.mark.parametrize("forest", [None, "e" * 64])
def test_without_anomalies_of_the_active_forest_there_is_no_novelty_curve(
    forest: str | None,
) -> None:
    log_odds, is_fraud = labelled()
    model = replace(MODEL, forest_sha256=forest)
    found = fitted(log_odds, is_fraud, purchases(), model)
    assert found.novelty_curve is None
    assert found.forest_sha256 is None


def test_newer_days_replace_alert_and_novelty_curve_alone() -> None:
    log_odds, is_fraud = labelled()
    old = fitted(log_odds, is_fraud, purchases(), MODEL)
    newer = purchases(day=np.repeat(np.arange(10, 12), COUNT // 2))
    score = np.full(COUNT, 0.01)
    found = with_curves_of(old, score, newer, forest_sha256=FOREST, fitted_at_ms=9)
    assert found.alert_curve.alerts_a_day(0.0, frozenset()) == COUNT / 2
    assert found.alert_curve.alerts_a_day(0.02, frozenset()) == 0
    assert found.novelty_curve is not None
    assert found.novelty_curve.days == 2
    assert found.fitted_at_ms == 9
    assert found.calibrator is old.calibrator
    assert found.labelled_curve is old.labelled_curve
    with pytest.raises(BrokenCalibration, match="needs purchases"):
        with_curves_of(old, np.empty(0), nothing(), forest_sha256=FOREST, fitted_at_ms=9)


def test_purchases_without_a_label_count_in_alert_and_novelty_curve_alone() -> None:
    log_odds, is_fraud = labelled()
    is_known = np.arange(COUNT) % 4 > 0
    found = fit_calibration(log_odds, is_fraud, is_known, purchases(), MODEL, folds="")
    assert found.labelled_curve.fraud[-1] == is_fraud[is_known].sum()
    assert found.labelled_curve.honest[-1] == (~is_fraud[is_known]).sum()
    assert found.alert_curve.alerts_a_day(0.0, frozenset()) == A_DAY
    assert found.novelty_curve is not None
    assert found.novelty_curve.purchases[-1] == (found.score(log_odds) < HARMLESS_BELOW).sum()
    alone = fit_calibrator(log_odds[is_known], is_fraud[is_known], np.ones(is_known.sum()))
    assert np.array_equal(found.calibrator.calibrated, alone.calibrated)


def nothing() -> RecordedPurchases:
    return RecordedPurchases(
        day=np.empty(0, np.int64),
        rule_sets=np.empty(0, np.object_),
        anomaly=np.empty(0),
        forest_version=np.empty(0, np.object_),
    )


def test_purchases_of_folds_are_pooled() -> None:
    part = purchases()
    both = pooled([part, replace(part, day=part.day + DAYS)])
    assert len(both.anomaly) == len(both.rule_sets) == len(both.forest_version) == 2 * COUNT
    assert len(np.unique(both.day)) == 2 * DAYS


def test_hits_of_recorded_rules() -> None:
    sets = np.array(["", "a,b", None, "b"], dtype=np.object_)
    names, hits = rule_hits(sets)
    assert names == ["a", "b"]
    assert hits.tolist() == [[False, False], [True, True], [False, False], [False, True]]
    _, chosen = rule_hits(sets, ["b", "new"])
    assert chosen.tolist() == [[False, False], [True, False], [False, False], [True, False]]
    names, none = rule_hits(np.array([None, ""], dtype=np.object_))
    assert (names, none.shape) == ([], (2, 0))
    assert rule_hits(np.empty(0, np.object_), ["a"])[1].shape == (0, 1)
