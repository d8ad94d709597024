"""From a measured challenger to what the stream uses, or to the reason why it does not."""

from __future__ import annotations

import enum
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fraudwatch.adapters.artefacts.model_artefact import MODEL_FILES, Artefact, write_artefact
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
from spark_jobs.train.dataset import NotEnough
from spark_jobs.train.evaluating import CHALLENGER, Learned

log = logging.getLogger("train_model")

TRAINED_UNTIL = "trained_until_ms"
Record = Callable[[str, GateResult], TrainingRecord]


class Outcome(enum.StrEnum):
    """How a training ended."""

    PROMOTED = "promoted"
    WAITS = "waits_for_approval"
    NOT_BETTER = "not_better"
    NOT_ENOUGH = "not_enough"
    NOT_WANTED = "not_wanted"


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a challenger."""

    outcome: Outcome
    because: str
    version: int
    sha256: str


def settle(
    models: ModelLifecycle,
    learned: Learned,
    decision: GateResult,
    *,
    record: Record,
    approval: bool,
) -> Settled:
    """Write, check, register; then promote, or leave it to a person, or say why not.

    Raises:
        BrokenModel: the artefact that was written cannot be used; what is in use stays.
        ChampionChanged: somebody changed the champion meanwhile.
    """
    in_use = models.model_store.current()
    sha256 = write_artefact(
        models.model_store.folder, artefact_of(learned, time.time_ns() // 1_000_000)
    )
    models.model_store.check(sha256)
    path = models.model_store.folder / f"{sha256}{MODEL_FILES.suffix}"
    version = models.registry.register(record(sha256, decision), path)
    log.info("version %d is registered: %s", version, decision.because)
    if decision.ruling is not GateDecision.BETTER:
        return Settled(Outcome.NOT_BETTER, decision.because, version, sha256)
    if approval:
        models.registry.set_alias(Alias.CHALLENGER, version)
        return Settled(Outcome.WAITS, decision.because, version, sha256)
    promote(models, version, expected_current=in_use)
    return Settled(Outcome.PROMOTED, decision.because, version, sha256)


def judged_by_the_gate(
    models: ModelLifecycle, learned: Learned, settings: ChallengerSettings
) -> GateResult:
    """Hold the challenger against what was served on its test days.

    Raises:
        NotEnough: nobody can tell who is better.
    """
    name, reference = reference_of(models, learned)
    contest = GateInput(
        labelled=learned.tested.judged,
        challenger=learned.tested.scores[CHALLENGER],
        reference=reference,
        reference_name=name,
    )
    terms = GateConfig(
        fewest_frauds=settings.fewest_frauds, cards_a_day=settings.alerts_a_day, seed=settings.seed
    )
    decision = decide(contest, terms)
    if decision.ruling is GateDecision.CANNOT_TELL:
        raise NotEnough(f"{decision.because}; nothing was changed and what is in use stays")
    return decision


def reference_of(models: ModelLifecycle, learned: Learned) -> tuple[str, Float64s]:
    """What was served on the test days: the champion's own score, without one the verdicts'.

    Of days that the champion was trained on nothing counts. One that the stream refuses, because
    features changed, and that served none of these days, is none.
    """
    tested, in_use = learned.tested, models.model_store.current()
    if in_use is None:
        return "the verdicts without a model", tested.served_score
    said = np.where(tested.model_version == in_use[:VERSION_LENGTH], tested.model_score, np.nan)
    champion = models.champion()
    until_ms = int(champion.tags.get(TRAINED_UNTIL, 0)) if champion else 0
    said = np.where(tested.judged.event_at_ms >= until_ms, said, np.nan)
    if np.isnan(said).all():
        try:
            models.model_store.check(in_use)
        except BrokenModel as refused:
            log.warning("the champion served nothing and cannot be used: %s", refused)
            return "the verdicts (the champion cannot be used)", tested.served_score
    return f"champion {in_use[:VERSION_LENGTH]}", said


def artefact_of(learned: Learned, fitted_at_ms: int) -> Artefact:
    """The very model that was measured, byte by byte: no second fit that nobody has tested."""
    about = ModelMetadata(
        kind=ModelKind.XGBOOST,
        features=tuple(VECTOR_FEATURES[place].name for place in learned.columns.tolist()),
        features_version=features_version(),
        fitted_at_ms=fitted_at_ms,
        rows=learned.drawn.frauds + round(learned.drawn.genuine * learned.drawn.genuine_ratio),
        from_ms=learned.fold.train_first * DAY_MS,
        until_ms=learned.fold.train_end * DAY_MS - 1,
    )
    return xgboost_artefact(learned.booster, about, learned.normal)
