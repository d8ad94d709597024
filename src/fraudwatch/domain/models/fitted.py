"""What every fitted model says of itself: which features it takes, what it was fitted on."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.features.feature_vector import SERVED_INDEX

Float64s = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]

VERSION_LENGTH = 12
# One standard deviation to either side of the middle, where values spread normally.
_SPREAD_QUANTILES = (0.1587, 0.8413)


class BrokenModel(ValueError):
    """A model that may not be used; the text says which and why."""


class ModelKind(enum.StrEnum):
    """The models there can be, one in use of each."""

    ISOLATION_FOREST = "isolation_forest"
    XGBOOST = "xgboost"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Where a model comes from, and the features it takes, in its own order."""

    kind: ModelKind
    features: tuple[str, ...]
    features_version: str  # of the catalogue and fold that served the training rows
    fitted_at_ms: int
    rows: int
    from_ms: int  # when the oldest and the newest row it could draw on were served
    until_ms: int

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.features) - SERVED_INDEX.keys()):
            raise BrokenModel(
                f"it takes features that are not in the catalogue: {', '.join(unknown)}; "
                "fit it again on today's features"
            )
        if not self.features or len(set(self.features)) < len(self.features):
            raise BrokenModel("it names no feature, or one twice")

    @property
    def columns(self) -> Int64s:
        """The place of each of its features in the vector."""
        return np.array([SERVED_INDEX[name] for name in self.features], dtype=np.int64)


class Normal(NamedTuple):
    """What was usual among the training rows, by feature of the model."""

    median: Float64s
    spread: Float64s  # 0 where all were alike


def normal_of(values: Float64s) -> Normal:
    """Median and spread of each column; what is unknown is passed over.

    The spread is half the distance between the quantiles that enclose two thirds, which rare giants
    do not move; where those are equal (most counts are zero) it is the standard deviation.
    """
    median, low, high = np.nanquantile(values, (0.5, *_SPREAD_QUANTILES), axis=0)
    half = (high - low) / 2
    return Normal(median, np.where(half > 0, half, np.nanstd(values, axis=0)))


def check_normal(normal: Normal, about: About) -> None:
    """Refuse a normal that does not fit the model.

    Raises:
        BrokenModel: another length, or numbers that are none.
    """
    for name, values in normal._asdict().items():
        if values.shape != (len(about.features),) or not np.isfinite(values).all():
            raise BrokenModel(f"its {name} of the training rows is not one number a feature")
