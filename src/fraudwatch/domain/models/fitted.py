"""Describe a fitted model: its features, its training rows and their normal values."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.features.feature_vector import VECTOR_INDEX

VERSION_LENGTH = 12
# One standard deviation to either side of the median of a normal distribution.
_SPREAD_QUANTILES = (0.1587, 0.8413)


class BrokenModel(ValueError):
    """Invalid model; the text names the reason."""


class UnknownFeatures(BrokenModel):
    """Model of features that the catalogue does not have (any more)."""


class ModelKind(enum.StrEnum):
    """Kind of model; one of each can be active."""

    ISOLATION_FOREST = "isolation_forest"
    XGBOOST = "xgboost"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMetadata:
    """Origin of a model, and its input features in its own order."""

    kind: ModelKind
    features: tuple[str, ...]
    features_version: str  # of the training rows
    fitted_at_ms: int
    rows: int
    from_ms: int  # times of the oldest and the newest row of the training set
    until_ms: int
    label_delay_days: int | None = None  # of the labels that it learned from; a forest has none

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.features) - VECTOR_INDEX.keys()):
            raise UnknownFeatures(
                f"its features are not in the catalogue: {', '.join(unknown)}; "
                "fit it again on the current features"
            )
        if not self.features or len(set(self.features)) < len(self.features):
            raise BrokenModel("it lists no feature, or one twice")

    @property
    def columns(self) -> Int64s:
        """Return the index of each of its features in the vector."""
        return np.array([VECTOR_INDEX[name] for name in self.features], dtype=np.int64)


class Normal(NamedTuple):
    """Normal values among the training rows, by feature of the model."""

    median: Float64s
    spread: Float64s  # 0 where all were equal


def normal_of(values: Float64s) -> Normal:
    """Return median and spread of each column; unknown values are ignored.

    The spread is half the distance between the quantiles that enclose two thirds, which outliers do
    not move; where those are equal (most counts are zero) it is the standard deviation.
    """
    median, low, high = np.nanquantile(values, (0.5, *_SPREAD_QUANTILES), axis=0)
    half = (high - low) / 2
    return Normal(median, np.where(half > 0, half, np.nanstd(values, axis=0)))


def check_normal(normal: Normal, about: ModelMetadata) -> None:
    """Check that the normal values fit the model.

    Raises:
        BrokenModel: another length, or numbers that are not finite.
    """
    for name, values in normal._asdict().items():
        if values.shape != (len(about.features),) or not np.isfinite(values).all():
            raise BrokenModel(f"its {name} of the training rows is not one number a feature")
