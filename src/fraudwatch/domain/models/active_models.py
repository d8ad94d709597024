"""The models in use, none to both, and what they say of purchases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fraudwatch.domain.features.feature_vector import SERVED
from fraudwatch.domain.models.calibration import check_quantiles, share_below
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.models.fitted import (
    About,
    BrokenModel,
    Float64s,
    Normal,
    check_normal,
)
from fraudwatch.domain.models.forest import Forest, check_forest, unusualness


@dataclass(frozen=True, slots=True)
class AnomalyModel:
    """An isolation forest with its calibration; unknown features count as the training median."""

    version: str
    about: About
    normal: Normal
    forest: Forest
    quantiles: Float64s

    def __post_init__(self) -> None:
        check_normal(self.normal, self.about)
        check_forest(self.forest, len(self.about.features))
        check_quantiles(self.quantiles)

    def anomaly(self, features: Float64s) -> Float64s:
        """The share of the training rows that were less unusual than each row."""
        raw = unusualness(self.forest, self.about.columns, self.normal.median, features)
        return share_below(self.quantiles, raw)


class FraudModel(Protocol):
    """A model that learned from labels."""

    @property
    def version(self) -> str:
        """The first digits of its artefact's hash."""

    @property
    def about(self) -> About:
        """Where it comes from."""

    @property
    def normal(self) -> Normal:
        """What was usual among its training rows."""

    def probability(self, features: Float64s) -> Float64s:
        """Of fraud, for each row of full vectors; unknown features stay unknown."""

    def contributions(self, features: Float64s) -> Float64s:
        """[row, feature of the model, and last what is said of anybody] in log-odds (SHAP)."""


@dataclass(frozen=True, slots=True)
class Models:
    """What a batch is judged by beside the rules; one is None where there is no such model."""

    anomaly: AnomalyModel | None = None
    fraud: FraudModel | None = None

    def evidence(self, features: Float64s) -> Evidence:
        """One number a row from each model; ``features`` is [row, SERVED], NaN unknown."""
        return Evidence(
            anomaly=self.anomaly.anomaly(features) if self.anomaly else None,
            fraud=self.fraud.probability(features) if self.fraud else None,
        )

    @property
    def anomaly_version(self) -> str | None:
        """Which isolation forest, or None."""
        return self.anomaly.version if self.anomaly else None

    @property
    def model_version(self) -> str | None:
        """Which supervised model, or None."""
        return self.fraud.version if self.fraud else None


def try_out(models: Models) -> None:
    """Ask each model about purchases of which nothing, and next to nothing, is known.

    Raises:
        BrokenModel: an answer is no number from 0 to 1.
    """
    width = len(SERVED)
    answers = models.evidence(np.stack([np.full(width, np.nan), np.zeros(width)]))
    for name, numbers in answers._asdict().items():
        # A NaN fails both comparisons.
        if numbers is not None and not ((numbers >= 0) & (numbers <= 1)).all():
            raise BrokenModel(f"its {name} is no number from 0 to 1")
