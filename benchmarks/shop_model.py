"""Train a model on the first half of the shop's days and calibrate it, as they were known then.

One training span, so calibrator and labelled curve are cross-fitted by customer within it; the
alert curve needs no labels and is of the days between the span and the second half.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import xgboost

from fraudwatch.domain.arrays import Bools, Float64s, Int64s, UInt64s
from fraudwatch.domain.calibration.alert_curve import alert_curve_of
from fraudwatch.domain.calibration.calibration import Calibration
from fraudwatch.domain.calibration.calibrator import LOG_ODDS_LIMIT
from fraudwatch.domain.calibration.fit_calibrator import fit_calibrator
from fraudwatch.domain.calibration.labelled_curve import labelled_curve_of
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.rules.rule import HIT, RuleInput

_FOLDS: Final = 5
_SEED: Final = 7
# Parameters of spark_xgboost.
_SHAPE: Final = {"n_estimators": 150, "max_depth": 4, "learning_rate": 0.1, "max_bin": 1_024}


class TrainingRows(NamedTuple):
    """Purchases old enough to be labelled, with the labels known at the time of training."""

    vectors: Float64s
    is_fraud: Bools
    customer_key: UInt64s


class RecentRows(NamedTuple):
    """Purchases between the training span and the second half."""

    inputs: RuleInput
    day: Int64s


class ShopModel:
    """Classifier of the known columns of the vectors."""

    def __init__(self, vectors: Float64s, is_fraud: Bools) -> None:
        self._is_known = ~np.isnan(vectors).all(axis=0)
        # One thread: two that wait for each other on busy cores are slower.
        self._model: Any = xgboost.XGBClassifier(
            **_SHAPE, tree_method="hist", random_state=_SEED, n_jobs=1
        )
        self._model.fit(vectors[:, self._is_known], is_fraud)

    def log_odds(self, vectors: Float64s) -> Float64s:
        """Return the log-odds of fraud, within the calibrator's limits."""
        margin = self._model.predict(vectors[:, self._is_known], output_margin=True)
        clipped: Float64s = np.clip(margin.astype(np.float64), -LOG_ODDS_LIMIT, LOG_ODDS_LIMIT)
        return clipped


def calibrate(
    model: ShopModel, trained: TrainingRows, recent: RecentRows, policy: Policy, days: float
) -> Calibration:
    """Fit calibrator and curves of a model."""
    log_odds = _cross_fitted(trained)
    weight = np.ones(len(log_odds))
    calibrator = fit_calibrator(log_odds, trained.is_fraud, weight)
    hits = np.stack([rule.answer(recent.inputs) == HIT for rule in policy.rules], axis=1)
    score = calibrator.probability(model.log_odds(recent.inputs.features))
    return Calibration(
        model_sha256="",
        forest_sha256=None,
        features_version=features_version(),
        label_delay_days=round(days),
        fitted_at_ms=0,
        folds=f"cross-fitted by customer, {_FOLDS} folds",
        calibrator=calibrator,
        alert_curve=alert_curve_of(score, recent.day, hits, [one.name for one in policy.rules]),
        labelled_curve=labelled_curve_of(
            calibrator.probability(log_odds), trained.is_fraud, weight
        ),
    )


def _cross_fitted(rows: TrainingRows) -> Float64s:
    """Return each purchase's log-odds by a model that knows nothing of its customer."""
    log_odds = np.zeros(len(rows.is_fraud))
    fold_of = (rows.customer_key % np.uint64(_FOLDS)).astype(np.int64)
    for number in range(_FOLDS):
        is_out = fold_of == number
        model = ShopModel(rows.vectors[~is_out], rows.is_fraud[~is_out])
        log_odds[is_out] = model.log_odds(rows.vectors[is_out])
    return log_odds
