"""Evaluate the active models, none to both, on batches of feature vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fraudwatch.domain.arrays import Bools, Float64s
from fraudwatch.domain.calibration.calibration import Calibration
from fraudwatch.domain.calibration.calibrator import probability_of
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.models.anomaly_quantiles import check_quantiles, share_below
from fraudwatch.domain.models.canary import in_canary
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.models.fitted import BrokenModel, ModelMetadata, Normal, check_normal
from fraudwatch.domain.models.forest import Forest, check_forest, isolation_scores


@dataclass(frozen=True, slots=True)
class AnomalyModel:
    """An isolation forest with its calibration; unknown features count as the training median."""

    version: str
    about: ModelMetadata
    normal: Normal
    forest: Forest
    quantiles: Float64s

    def __post_init__(self) -> None:
        check_normal(self.normal, self.about)
        check_forest(self.forest, len(self.about.features))
        check_quantiles(self.quantiles)

    def anomaly(self, features: Float64s) -> Float64s:
        """Return the share of the training rows that were less unusual than each row."""
        raw = isolation_scores(self.forest, self.about.columns, self.normal.median, features)
        return share_below(self.quantiles, raw)


class FraudModel(Protocol):
    """Classifier: a model that learned from labels."""

    @property
    def version(self) -> str:
        """First digits of its artefact's hash."""

    @property
    def about(self) -> ModelMetadata:
        """Origin and input features."""

    @property
    def normal(self) -> Normal:
        """Normal values among its training rows."""

    def probability(self, features: Float64s) -> Float64s:
        """Return the probability of fraud for each row of full vectors; unknown stays unknown."""

    def log_odds(self, features: Float64s) -> Float64s:
        """Return the log-odds of fraud, which keep apart what rounds to a probability of 1."""

    def contributions(self, features: Float64s) -> Float64s:
        """Return SHAP values in log-odds: [row, feature of the model, and last the base value]."""


@dataclass(frozen=True, slots=True)
class Canary:
    """Models on trial: they score a share of the customers instead of the active ones."""

    models: ActiveModels
    share_ratio: float

    def selects(self, customer_tokens: Sequence[str]) -> Bools:
        """Select the customers whom these models score."""
        return in_canary(self.models.model_version or "", self.share_ratio, customer_tokens)


@dataclass(frozen=True, slots=True)
class ActiveModels:
    """Active models for scoring a batch; one is None where there is no such model."""

    anomaly: AnomalyModel | None = None
    fraud: FraudModel | None = None
    calibration: Calibration | None = None
    """Of the classifier."""
    canary: Canary | None = None

    def evidence(self, features: Float64s) -> Evidence:
        """One number a row from each model; ``features`` is [row, SERVED], NaN unknown."""
        anomaly = self.anomaly.anomaly(features) if self.anomaly else None
        if self.fraud is None:
            return Evidence(anomaly)
        log_odds = self.fraud.log_odds(features)
        score = self.calibration.score(log_odds) if self.calibration else None
        return Evidence(anomaly, probability_of(log_odds), score)

    @property
    def anomaly_version(self) -> str | None:
        """Version of the isolation forest, or None."""
        return self.anomaly.version if self.anomaly else None

    @property
    def model_version(self) -> str | None:
        """Version of the classifier, or None."""
        return self.fraud.version if self.fraud else None

    @property
    def calibration_version(self) -> str | None:
        """Version of the classifier's calibration, or None."""
        return self.calibration.version if self.calibration else None


def check_outputs(models: ActiveModels) -> None:
    """Evaluate each model on a vector of unknowns and on one of zeros.

    Raises:
        BrokenModel: an output is not a number from 0 to 1.
    """
    if models.canary:
        check_outputs(models.canary.models)
    width = len(VECTOR_FEATURES)
    answers = models.evidence(np.stack([np.full(width, np.nan), np.zeros(width)]))
    for name, numbers in answers._asdict().items():
        # A NaN fails both comparisons.
        if numbers is not None and not ((numbers >= 0) & (numbers <= 1)).all():
            raise BrokenModel(f"its {name} output is not a number from 0 to 1")
