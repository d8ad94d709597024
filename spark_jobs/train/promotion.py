"""Promote a measured challenger to the stream's active model, or return why it was not."""

from __future__ import annotations

import enum
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fraudwatch.adapters.artefacts.model_artefact import Artefact, write_artefact
from fraudwatch.adapters.artefacts.xgboost_model import xgboost_artefact
from fraudwatch.application.promotion.promote import ModelLifecycle, promote
from fraudwatch.batch_settings import ChallengerSettings
from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.models.fitted import VERSION_LENGTH, BrokenModel, ModelKind, ModelMetadata
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.domain.training.gate import GateConfig, GateDecision, GateInput, GateResult, decide
from fraudwatch.domain.training.versions import Alias, TrainingRecord
from spark_jobs.train.dataset import NotEnoughData
from spark_jobs.train.evaluating import CHALLENGER, FittedFold

log = logging.getLogger("train_model")

TRAINED_UNTIL = "trained_until_ms"
LABEL_DELAY = "label_delay_days"
FEATURES_VERSION = "features_version"
Record = Callable[[str, GateResult], TrainingRecord]


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


def promote_or_reject(
    models: ModelLifecycle,
    fitted: FittedFold,
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
    active = models.model_store.current()
    sha256 = write_artefact(
        models.model_store.folder, artefact_of(fitted, time.time_ns() // 1_000_000)
    )
    models.model_store.check(sha256, None)
    version = models.registry.register(record(sha256, decision), models.model_store.folder)
    log.info("version %d is registered: %s", version, decision.because)
    if decision.ruling is not GateDecision.BETTER:
        return PromotionResult(TrainingOutcome.NOT_BETTER, decision.because, version, sha256)
    if approval:
        models.registry.set_alias(Alias.CHALLENGER, version)
        return PromotionResult(TrainingOutcome.WAITS, decision.because, version, sha256)
    promote(models, version, expected_current=active)
    return PromotionResult(TrainingOutcome.PROMOTED, decision.because, version, sha256)


def apply_gate(
    models: ModelLifecycle, fitted: FittedFold, settings: ChallengerSettings
) -> GateResult:
    """Compare the challenger with the scores served on its test days.

    Raises:
        NotEnoughData: too few frauds for a decision.
    """
    name, reference = reference_scores(models, fitted)
    contest = GateInput(
        labelled=fitted.tested.labelled,
        challenger=fitted.tested.scores[CHALLENGER],
        reference=reference,
        reference_name=name,
    )
    terms = GateConfig(
        fewest_frauds=settings.fewest_frauds, cards_a_day=settings.alerts_a_day, seed=settings.seed
    )
    decision = decide(contest, terms)
    if decision.ruling is GateDecision.INCONCLUSIVE:
        raise NotEnoughData(f"{decision.because}; nothing was changed and the active model stays")
    return decision


def reference_scores(models: ModelLifecycle, fitted: FittedFold) -> tuple[str, Float64s]:
    """Return the served scores of the test days: the champion's, else those of the verdicts.

    Days that the champion was trained on do not count. A champion that the stream leaves out, as
    the features or the label delay changed, is replaced by what is served without it: the rules.
    """
    tested, active = fitted.tested, models.model_store.current()
    if active is None:
        return "the verdicts without a model", tested.served_score
    try:
        models.model_store.check(active, None)
    except BrokenModel as refused:
        log.warning("the champion cannot be used: %s", refused)
        points = np.where(np.isnan(tested.served_score), np.nan, tested.points)
        return "the rules alone (the champion cannot be used)", points
    scores = np.where(tested.model_version == active[:VERSION_LENGTH], tested.model_score, np.nan)
    champion = models.champion()
    until_ms = int(champion.tags.get(TRAINED_UNTIL, 0)) if champion else 0
    scores = np.where(tested.labelled.event_at_ms >= until_ms, scores, np.nan)
    return f"champion {active[:VERSION_LENGTH]}", scores


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
