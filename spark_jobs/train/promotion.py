"""Promote a measured challenger to the stream's active model, or return why it was not."""

from __future__ import annotations

import enum
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from fraudwatch.adapters.artefacts.calibration_artefact import write_calibration
from fraudwatch.adapters.artefacts.model_artefact import Artefact, write_artefact
from fraudwatch.adapters.artefacts.xgboost_model import xgboost_artefact
from fraudwatch.application.promotion.promote import ModelLifecycle, promote
from fraudwatch.domain.calibration.calibration import Calibration
from fraudwatch.domain.calibration.fit_calibration import with_curves_of
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.models.fitted import ModelKind, ModelMetadata
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.domain.training.gate import GateDecision, GateResult
from fraudwatch.domain.training.versions import Alias, TrainingRecord
from spark_jobs.train.calibrating import active_forest
from spark_jobs.train.evaluating import FittedFold
from spark_jobs.train.recent_days import RecentDays

log = logging.getLogger("train_model")

TRAINED_UNTIL = "trained_until_ms"
LABEL_DELAY = "label_delay_days"
FEATURES_VERSION = "features_version"
# Takes the hashes of model and calibration, and the gate's decision.
Record = Callable[[str, str, GateResult], TrainingRecord]


class TrainingOutcome(enum.StrEnum):
    """Outcome of a training run."""

    PROMOTED = "promoted"
    WAITS = "waits_for_approval"
    NOT_BETTER = "not_better"
    NOT_ENOUGH = "not_enough"
    NOT_WANTED = "not_wanted"


@dataclass(frozen=True, slots=True)
class PromotionResult:
    """Result for a challenger: outcome, reason and registered version."""

    outcome: TrainingOutcome
    because: str
    version: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenger:
    """Model of the newest fold, its calibration by older days, and the days since its training."""

    fitted: FittedFold
    calibration: Calibration
    recent: RecentDays


def promote_or_reject(
    models: ModelLifecycle,
    challenger: Challenger,
    decision: GateResult,
    *,
    record: Record,
    approval: bool,
) -> PromotionResult:
    """Write, check and register the challenger; then promote it, await approval, or reject it.

    Raises:
        BrokenModel: the new artefact cannot be used; the active model stays.
        ChampionChanged: the champion was changed concurrently.
    """
    store, active, now_ms = models.model_store, models.model_store.current(), _now_ms()
    sha256 = write_artefact(store.folder, artefact_of(challenger.fitted, now_ms))
    shipped = shipped_calibration(challenger, sha256, active_forest(store.folder), now_ms)
    calibration = write_calibration(store.folder, shipped)
    store.check(sha256, calibration)
    version = models.registry.register(record(sha256, calibration, decision), store.folder)
    log.info("version %d is registered: %s", version, decision.because)
    if decision.ruling is not GateDecision.BETTER:
        return PromotionResult(TrainingOutcome.NOT_BETTER, decision.because, version, sha256)
    if approval:
        models.registry.set_alias(Alias.CHALLENGER, version)
        return PromotionResult(TrainingOutcome.WAITS, decision.because, version, sha256)
    promote(models, version, expected_current=active)
    return PromotionResult(TrainingOutcome.PROMOTED, decision.because, version, sha256)


def shipped_calibration(
    challenger: Challenger, sha256: str, forest_sha256: str | None, now_ms: int
) -> Calibration:
    """Return the measured calibration with curves of the days since the training, and the model.

    Alert curves need no labels, and these days are the model's own and newer.
    """
    recent, measured = challenger.recent, challenger.calibration
    newer = with_curves_of(
        measured,
        measured.score(recent.log_odds),
        recent.recorded,
        forest_sha256=forest_sha256,
        fitted_at_ms=now_ms,
    )
    return replace(newer, model_sha256=sha256)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def artefact_of(fitted: FittedFold, fitted_at_ms: int) -> Artefact:
    """Build the artefact of exactly the measured model: no second, untested fit."""
    about = ModelMetadata(
        kind=ModelKind.XGBOOST,
        features=tuple(VECTOR_FEATURES[place].name for place in fitted.columns.tolist()),
        features_version=features_version(),
        fitted_at_ms=fitted_at_ms,
        rows=fitted.sample.frauds + round(fitted.sample.genuine * fitted.sample.genuine_ratio),
        from_ms=fitted.fold.train_first * DAY_MS,
        until_ms=fitted.fold.train_end * DAY_MS - 1,
        label_delay_days=fitted.label_delay_days,
    )
    return xgboost_artefact(fitted.booster, about, fitted.normal)
