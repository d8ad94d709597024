"""Summary of the model registry, for programs without the registry's libraries: the console.

It has what a lead needs to approve a challenger or to roll back: versions with their tags and
metrics, prequential folds, calibration and the most important features.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fraudwatch.application.promotion.promote import ModelLifecycle
from fraudwatch.domain.training.versions import Alias, ModelVersion

FOLDS: Final = "folds.json"
VERDICT: Final = "verdict.json"
IMPORTANCE: Final = "importance.json"
DOCUMENTS: Final = (FOLDS, VERDICT, IMPORTANCE)
MAX_VERSIONS: Final = 20
_MODEL: Final = "xgboost"  # folds have the metrics of every model that was compared


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldSummary:
    """Test days of a prequential fold, and the model's metrics on them."""

    train_from: str
    train_until: str
    test_from: str
    test_until: str
    is_prequential: bool
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityPoint:
    """Purchases of neighbouring scores: predicted and observed share of fraud."""

    purchases: int
    predicted: float
    observed: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureImportance:
    """A feature's share of what all features gain in the model."""

    feature: str
    gain_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionSummary:
    """One version, as it was measured when it was trained."""

    version: int
    sha256: str
    created_at_ms: int
    promoted_at_ms: int | None
    is_active: bool
    is_waiting: bool
    """Whether it passed the gate and waits for approval."""
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    folds: tuple[FoldSummary, ...]
    reliability: tuple[ReliabilityPoint, ...]
    bounds: Mapping[str, float]
    importance: tuple[FeatureImportance, ...]

    @property
    def was_promoted(self) -> bool:
        """Whether it is or was champion, so that it can be rolled back to."""
        return self.promoted_at_ms is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySummary:
    """Versions, newest first, when they were read, and the hash of the active model."""

    written_at_ms: int
    active_sha256: str | None
    versions: tuple[VersionSummary, ...]

    @property
    def champion(self) -> VersionSummary | None:
        """Return the active version, or None."""
        return next((one for one in self.versions if one.is_active), None)

    @property
    def waiting(self) -> VersionSummary | None:
        """Return the challenger that waits for approval, or None."""
        return next((one for one in self.versions if one.is_waiting), None)


def summarise(models: ModelLifecycle) -> RegistrySummary:
    """Summarise the newest versions, the active one and the one that waits."""
    active, versions = models.model_store.current(), models.registry.versions()
    return RegistrySummary(
        written_at_ms=models.now_ms(),
        active_sha256=active,
        versions=tuple(
            _summary_of(one, active, models.registry.documents(one.version, DOCUMENTS))
            for one in _shown(versions, active)
        ),
    )


def _shown(versions: Sequence[ModelVersion], active: str | None) -> list[ModelVersion]:
    return [
        one
        for place, one in enumerate(versions)
        if place < MAX_VERSIONS or one.sha256 == active or Alias.CHALLENGER in one.aliases
    ]


def _summary_of(
    one: ModelVersion, active: str | None, documents: Mapping[str, Any]
) -> VersionSummary:
    verdict = documents.get(VERDICT, {})
    return VersionSummary(
        version=one.version,
        sha256=one.sha256,
        created_at_ms=one.created_at_ms,
        promoted_at_ms=one.promoted_at_ms,
        is_active=one.sha256 == active,
        is_waiting=Alias.CHALLENGER in one.aliases,
        tags=dict(one.tags),
        metrics=_known(one.metrics),
        folds=tuple(_fold(fold) for fold in documents.get(FOLDS, ())),
        reliability=tuple(_points(verdict.get("challenger", {}).get("reliability", ()))),
        bounds=_known(verdict.get("bounds", {})),
        importance=tuple(
            FeatureImportance(feature=found["feature"], gain_ratio=found["gain_ratio"])
            for found in documents.get(IMPORTANCE, ())
        ),
    )


def _fold(fold: Mapping[str, Any]) -> FoldSummary:
    days, models = fold["days"], fold["models"]
    return FoldSummary(**days, metrics=_known(models.get(_MODEL, {})))


def _points(bins: Iterable[Mapping[str, Any]]) -> Iterable[ReliabilityPoint]:
    for one in bins:
        low, high = one["interval"]
        yield ReliabilityPoint(
            purchases=one["purchases"],
            predicted=one["predicted"],
            observed=one["observed"],
            low=low,
            high=high,
        )


def _known(numbers: Mapping[str, float | None]) -> dict[str, float]:
    """Leave out what is unknown: JSON has no NaN."""
    return {
        name: float(number)
        for name, number in numbers.items()
        if number is not None and math.isfinite(number)
    }
