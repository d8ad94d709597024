"""Build the run record of a training: parameters, metrics and tags to explain and repeat it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from fraudwatch.adapters.lake.outcomes import code_version
from fraudwatch.application.promotion.registry_summary import FOLDS, IMPORTANCE, VERDICT
from fraudwatch.batch_settings import ChallengerSettings
from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.domain.training.capacity import Threshold, score_at_capacity
from fraudwatch.domain.training.curves import CURVES, precision_recall, reliability
from fraudwatch.domain.training.folds import Fold
from fraudwatch.domain.training.gate import GateResult
from fraudwatch.domain.training.numbers import (
    MeanAndSpread,
    numbers_by_segment,
    numbers_of,
    over_folds,
)
from fraudwatch.domain.training.versions import TrainingRecord
from fraudwatch.domain.views.catalogue import views_version
from spark_jobs.train.dataset import Dataset, day_from_number
from spark_jobs.train.evaluating import CHALLENGER, SEGMENTS, FittedFold
from spark_jobs.train.importance import importance_document
from spark_jobs.train.promotion import (
    FEATURES_VERSION,
    LABEL_DELAY,
    TRAINED_UNTIL,
    Challenger,
)
from spark_jobs.train.verdict_document import verdict_document

SERVED_VERDICTS = "served_verdicts"


@dataclass(frozen=True, slots=True)
class ModelMetrics:
    """Metrics of every model, by fold and over the folds."""

    folds: tuple[dict[str, dict[str, float]], ...]
    models: dict[str, dict[str, MeanAndSpread]]

    @property
    def best(self) -> str:
        """Name of the model with the highest mean average precision."""
        means = {name: one["average_precision"].mean for name, one in self.models.items()}
        return max(means, key=lambda name: -1.0 if math.isnan(means[name]) else means[name])


def measure_models(folds: Sequence[FittedFold], cards_a_day: int) -> ModelMetrics:
    """Measure every model and the served verdicts against the labels, in every fold."""
    metrics = tuple(_of_fold(one, cards_a_day) for one in folds)
    names = dict.fromkeys(name for fold in metrics for name in fold)
    return ModelMetrics(
        metrics,
        {name: over_folds(fold[name] for fold in metrics if name in fold) for name in names},
    )


def _of_fold(one: FittedFold, cards_a_day: int) -> dict[str, dict[str, float]]:
    scores: dict[str, Float64s] = dict(one.tested.scores)
    if not np.isnan(one.tested.served_score).any():
        scores[SERVED_VERDICTS] = one.tested.served_score
    return {
        name: numbers_of(one.tested.labelled, score, cards_a_day) for name, score in scores.items()
    }


def threshold_of(fitted: FittedFold, alerts_a_day: int) -> Threshold:
    """Return the probability from which alerts fill the analysts' daily capacity."""
    score = fitted.tested.scores[CHALLENGER]
    return score_at_capacity(score, fitted.tested.labelled.day, alerts_a_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRun:
    """All that a training measured its challenger by."""

    data: Dataset
    folds: Sequence[FittedFold]
    challenger: Challenger
    policy: Policy
    settings: ChallengerSettings


def training_record(
    run: TrainingRun, sha256: str, calibration: str, decision: GateResult
) -> TrainingRecord:
    """Build the run record of the last fold's model, with the metrics of all folds."""
    data, folds, settings = run.data, run.folds, run.settings
    last, metrics = folds[-1], measure_models(folds, settings.alerts_a_day)
    threshold = threshold_of(last, settings.alerts_a_day)
    numbers = {
        f"{model}.{name}.{part}": value
        for model, by_name in metrics.models.items()
        for name, spread in by_name.items()
        for part, value in spread._asdict().items()
    }
    return TrainingRecord(
        sha256=sha256,
        calibration=calibration,
        parameters=_parameters(settings, last),
        tags=_tags(run, decision, metrics),
        metrics=numbers
        | {
            "gate.wins_ratio": decision.wins_ratio,
            "gate.frauds": decision.frauds,
            "gate.days": decision.days,
            "alert_from_probability": threshold.score,
            "alerts_a_day": threshold.alerts_a_day,
            **last.labels.left_out_metrics,
            **{f"gate.challenger.{name}": value for name, value in decision.challenger.items()},
            **{f"gate.reference.{name}": value for name, value in decision.reference.items()},
        },
        documents={
            FOLDS: [
                {"days": fold_days(one.fold), "models": numbers}
                for one, numbers in zip(folds, metrics.folds, strict=True)
            ],
            "stray_days.json": named_days(data.stray_days),
            "labels.json": dict(data.labels_by_source),
            "left_out.json": last.labels.left_out_document,
            "declines.json": last.labels.declines_document,
            "segments.json": _segments(last),
            VERDICT: verdict_document(run.policy, run.challenger.calibration, decision),
            IMPORTANCE: importance_document(last.booster, last.columns),
            CURVES: _curves(last),
        },
    )


def fold_days(fold: Fold) -> dict[str, str | bool]:
    """Return the days of a fold, ends included."""
    return {
        "train_from": day_from_number(fold.train_first).isoformat(),
        "train_until": day_from_number(fold.train_end - 1).isoformat(),
        "test_from": day_from_number(fold.test_first).isoformat(),
        "test_until": day_from_number(fold.test_end - 1).isoformat(),
        "is_prequential": fold.is_prequential,
    }


def named_days(days: Mapping[int, int]) -> dict[str, int]:
    """Return days, as dates, and the number of their purchases."""
    return {day_from_number(day).isoformat(): number for day, number in days.items()}


def _parameters(settings: ChallengerSettings, last: FittedFold) -> dict[str, str]:
    own = settings.model_dump(exclude={"models_folder", "approval", "policy_path"})
    sample = {f"drawn_{name}": value for name, value in asdict(last.sample).items()}
    return {name: str(value) for name, value in (own | sample).items()}


def _tags(run: TrainingRun, decision: GateResult, metrics: ModelMetrics) -> dict[str, str]:
    data, last = run.data, run.folds[-1]
    features = [VECTOR_FEATURES[place].name for place in last.columns.tolist()]
    tables = {f"table.{name}": str(version) for name, version in data.versions.items()}
    return {
        **{name: str(value) for name, value in fold_days(last.fold).items()},
        **tables,
        TRAINED_UNTIL: str(last.fold.train_end * DAY_MS),
        LABEL_DELAY: str(data.label_delay_days),
        "features": ",".join(features),
        FEATURES_VERSION: features_version(),
        "views_version": views_version(),
        "code_version": code_version(),
        "gate": str(decision.ruling),
        "because": decision.because,
        "best_model": metrics.best,
        "calibrated_on": run.challenger.calibration.folds,
    }


def _segments(last: FittedFold) -> Mapping[str, object]:
    score = last.tested.scores[CHALLENGER]
    return {
        name: numbers_by_segment(last.tested.labelled, score, last.tested.segments[name])
        for name in SEGMENTS
    }


def _curves(last: FittedFold) -> Mapping[str, object]:
    is_fraud = last.tested.labelled.is_fraud
    return {
        "precision_recall": {
            name: precision_recall(score, is_fraud) for name, score in last.tested.scores.items()
        },
        "reliability": reliability(last.tested.scores[CHALLENGER], is_fraud),
    }
