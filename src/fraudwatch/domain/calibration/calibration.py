"""Calibration of one classifier: its calibrator and curves, from which a policy gets its bounds."""

from __future__ import annotations

from dataclasses import dataclass

from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.calibration.alert_curve import AlertCurve
from fraudwatch.domain.calibration.calibrator import Calibrator
from fraudwatch.domain.calibration.labelled_curve import LabelledCurve
from fraudwatch.domain.calibration.novelty_curve import NoveltyCurve


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """Calibrator and curves, with the model and the settings that they are for."""

    model_sha256: str
    forest_sha256: str | None  # whose anomaly is an input of the model or of the novelty curve
    features_version: str
    label_delay_days: int
    fitted_at_ms: int
    folds: str
    """How they were fitted, in words: "prequential, 3 folds"."""
    calibrator: Calibrator
    alert_curve: AlertCurve
    labelled_curve: LabelledCurve
    novelty_curve: NoveltyCurve | None = None
    version: str = ""
    """First digits of its artefact's hash; empty until it is stored."""

    def score(self, log_odds: Float64s) -> Float64s:
        """Return the calibrated probability of fraud from the model's log-odds."""
        return self.calibrator.probability(log_odds)
