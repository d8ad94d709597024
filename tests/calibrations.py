"""Example calibrations of classifiers, small but of the shape that training makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fraudwatch.adapters.artefacts.calibration_artefact import write_calibration
from fraudwatch.domain.calibration.alert_curve import alert_curve_of
from fraudwatch.domain.calibration.calibration import Calibration
from fraudwatch.domain.calibration.calibrator import probability_of
from fraudwatch.domain.calibration.fit_calibrator import fit_calibrator
from fraudwatch.domain.calibration.labelled_curve import labelled_curve_of
from fraudwatch.domain.calibration.novelty_curve import novelty_curve_of

RULES = ("card_testing", "deny_list", "high_amount")


def a_calibration(model_sha256: str, *, seed: int = 1, **changes: Any) -> Calibration:
    """Calibration from 3,000 purchases of ten days, whose true odds are half the model's."""
    random = np.random.default_rng(seed)
    log_odds = random.normal(-3.0, 3.0, 3_000)
    is_fraud = random.random(3_000) < probability_of(log_odds - np.log(2.0))
    calibrator = fit_calibrator(log_odds, is_fraud, np.ones(3_000))
    score, day = calibrator.probability(log_odds), np.arange(3_000) % 10
    usual: dict[str, Any] = {
        "model_sha256": model_sha256,
        "forest_sha256": None,
        "features_version": "today",
        "label_delay_days": 7,
        "fitted_at_ms": 1_000 + seed,
        "folds": "prequential, 3 folds",
        "calibrator": calibrator,
        "alert_curve": alert_curve_of(score, day, random.random((3_000, 3)) < 0.01, RULES),
        "labelled_curve": labelled_curve_of(score, is_fraud, np.ones(3_000)),
        "novelty_curve": novelty_curve_of(random.random(3_000), score, day, 0.1),
    }
    return Calibration(**{**usual, **changes})


def write_a_calibration(folder: Path, model_sha256: str, **changes: Any) -> str:
    """Write a calibration of a model and return its hash."""
    return write_calibration(folder, a_calibration(model_sha256, **changes))
