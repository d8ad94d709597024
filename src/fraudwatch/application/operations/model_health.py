"""Drift, calibration and quality of the served verdicts, as the batch jobs last measured them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fraudwatch.application.operations.exporters import Readings

_QUALITY: Final = ("precision", "recall", "false_positive")
METRICS: Final = (
    "fraudwatch_drift_psi",
    "fraudwatch_drift_features_moved",
    "fraudwatch_calibration_slope",
    "fraudwatch_calibration_brier",
    *(f"fraudwatch_quality_{name}_ratio" for name in _QUALITY),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelAgeQuality:
    """Quality over seven days whose youngest purchase is as old as this; None: not known."""

    label_age: str
    precision_ratio: float | None
    recall_ratio: float | None
    false_positive_ratio: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelHealth:
    """Latest measurements; None or empty where nothing was measured yet."""

    psi: Mapping[str, float]
    features_moved: int | None
    calibration_slope: float | None
    calibration_brier: float | None
    quality: tuple[LabelAgeQuality, ...]

    @property
    def is_measured(self) -> bool:
        """Whether anything was measured."""
        return bool(self.psi or self.quality) or self.calibration_slope is not None


def model_health(readings: Readings) -> ModelHealth:
    """Collect drift, calibration and quality from the samples of the batch jobs."""
    ratios = [
        readings.by_label(f"fraudwatch_quality_{name}_ratio", "label_age") for name in _QUALITY
    ]
    precision, recall, false_positive = ratios
    ages = sorted({age for found in ratios for age in found}, key=lambda age: int(age.rstrip("d")))
    moved = readings.value("fraudwatch_drift_features_moved")
    return ModelHealth(
        psi=readings.by_label("fraudwatch_drift_psi", "subject"),
        features_moved=None if moved is None else int(moved),
        calibration_slope=readings.value("fraudwatch_calibration_slope"),
        calibration_brier=readings.value("fraudwatch_calibration_brier"),
        quality=tuple(
            LabelAgeQuality(
                label_age=age,
                precision_ratio=precision.get(age),
                recall_ratio=recall.get(age),
                false_positive_ratio=false_positive.get(age),
            )
            for age in ages
        ),
    )
