"""Fit every model on a fold's training days and score its test days."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xgboost as xgb
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.batch_settings import ChallengerSettings
from fraudwatch.domain.arrays import Bools, Float64s, Int64s
from fraudwatch.domain.calibration.calibrator import probability_of
from fraudwatch.domain.calibration.fit_calibration import RecordedPurchases
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores
from fraudwatch.domain.features.hashing import keys_of
from fraudwatch.domain.models.fitted import Normal, normal_of
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.domain.training.downsampling import Sample, sample_of
from fraudwatch.domain.training.folds import Fold
from fraudwatch.domain.training.label_history import labels_as_of
from spark_jobs.recorded_verdicts import doubles, flags, objects, recorded_purchases
from spark_jobs.train.dataset import Dataset, NotEnoughData, day_from_number
from spark_jobs.train.label_counts import FoldLabels, LabelCounts, count_labels
from spark_jobs.train.sklearn_baselines import (
    AutoencoderBaseline,
    IsolationForestBaseline,
    OneClassSvmBaseline,
)
from spark_jobs.train.spark_random_forest import NAME as FOREST
from spark_jobs.train.spark_random_forest import fit_random_forest
from spark_jobs.train.spark_xgboost import BoosterScorer, BoosterShape, fit_booster
from spark_jobs.train.training_rows import downsample, known_rows, with_truth
from spark_jobs.train.vector_tasks import Learner, Scorer, as_lists, fit_in_task, scored, vectors

log = logging.getLogger("train_model")

CHALLENGER = "xgboost"
SEGMENTS = ("channel", "category", "merchant_country")
_NOT_COLLECTED = ("features", "view_features", "customer")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredDays:
    """All purchases of whole days, with log-odds by a model that was not trained on them."""

    log_odds: Float64s
    is_fraud: Bools  # false where unknown
    is_known: Bools
    """Whether its truth is known; alerts count without it."""
    recorded: RecordedPurchases


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldScores:
    """Labelled test purchases of a fold, row by row: served scores and each model's scores.

    ``days`` are all purchases of the test days, those without a label too.
    """

    labelled: LabelledScores
    scores: Mapping[str, Float64s]
    served_score: Float64s
    days: ScoredDays
    segments: Mapping[str, npt.NDArray[np.object_]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedFold:
    """Challenger of a fold, with its training sample and test scores."""

    fold: Fold
    label_delay_days: int
    booster: xgb.Booster
    columns: Int64s
    normal: Normal
    sample: Sample
    labels: FoldLabels
    tested: FoldScores


def fit_fold(
    data: Dataset, fold: Fold, settings: ChallengerSettings, *, baselines: bool
) -> FittedFold:
    """Fit the challenger and its baselines, and score the test days by all of them.

    Raises:
        NotEnoughData: too few frauds, or no genuine purchase, in the training or test days.
    """
    train, test = training_days(data, fold), _tested_rows(data, fold)
    labels = FoldLabels(training=count_labels(train), test=count_labels(test))
    share = _check_classes(labels.training, "training", settings)
    _check_classes(labels.test, "test", settings)
    train = known_rows(train)
    sample, columns, normal = _sample(train, settings.sample_rows)
    log.info("training on %d frauds and %d genuine purchases", share.frauds, share.genuine)
    booster = fit_challenger(train, share, columns, settings)
    scorers: dict[str, Scorer] = {CHALLENGER: BoosterScorer(booster)}
    others: list[DataFrame] = []
    if baselines:
        scorers |= _unsupervised(sample, columns, settings.seed)
        log.info("fitting %s", FOREST)
        few = downsample(train, sample_of(share.frauds, share.genuine, settings.sample_rows))
        forest = fit_random_forest(few, columns, normal.median, seed=settings.seed)
        others.append(forest.scored(test))
    return FittedFold(
        fold=fold,
        label_delay_days=data.label_delay_days,
        booster=booster,
        columns=columns,
        normal=normal,
        sample=share,
        labels=labels,
        tested=_tested(test, [scored(test, scorers, columns), *others]),
    )


def training_days(data: Dataset, fold: Fold) -> DataFrame:
    """Select all purchases of the training days with the labels known then, or why without."""
    known = with_truth(data.rows, labels_as_of(data.changes, fold.known_until_ms))
    return of_days(known, fold.train_first, fold.train_end)


def fit_challenger(
    train: DataFrame, share: Sample, columns: Int64s, settings: ChallengerSettings
) -> xgb.Booster:
    """Fit a booster to all frauds and an even share of the genuine purchases."""
    kept = downsample(train, share).select(
        "transaction_id", "features", "view_features", "is_fraud", "weight"
    )
    return fit_booster(as_lists(kept, columns), BoosterShape(seed=settings.seed))


def of_days(rows: DataFrame, first: int, end: int) -> DataFrame:
    """Select rows by day since 1970; the end is exclusive."""
    days = (F.lit(day_from_number(number)) for number in (first, end - 1))
    return rows.where(F.col("event_on").between(*days))


def _tested_rows(data: Dataset, fold: Fold) -> DataFrame:
    """Select all purchases of the test days with today's labels, or why they have none."""
    known = with_truth(data.rows, labels_as_of(data.changes, data.today * DAY_MS))
    return of_days(known, fold.test_first, fold.test_end)


def _check_classes(counted: LabelCounts, what: str, settings: ChallengerSettings) -> Sample:
    frauds, genuine = counted.frauds, counted.genuine
    if frauds < settings.fewest_frauds or not genuine:
        raise NotEnoughData(
            f"the {what} days have {frauds} known frauds and {genuine} other purchases, and "
            f"{settings.fewest_frauds} frauds and at least one other purchase are needed; nothing "
            "was changed and the active model stays: run this again when more labels are known"
        )
    return sample_of(frauds, genuine, settings.most_rows)


def _sample(train: DataFrame, most_rows: int) -> tuple[DataFrame, Int64s, Normal]:
    """Draw rows for the baselines, with the columns known in any of them and their usual values."""
    some = train.orderBy(F.xxhash64("transaction_id")).limit(most_rows)
    sample = some.withColumn("weight", F.lit(1.0)).persist(StorageLevel.DISK_ONLY)
    values = vectors(sample.select("features", "view_features").toArrow())
    columns = np.flatnonzero((~np.isnan(values)).any(axis=0))
    return sample, columns, normal_of(values[:, columns])


def _unsupervised(sample: DataFrame, columns: Int64s, seed: int) -> dict[str, Scorer]:
    scorers: dict[str, Scorer] = {}
    baselines: tuple[Learner, ...] = (
        IsolationForestBaseline(seed=seed),
        OneClassSvmBaseline(seed=seed),
        AutoencoderBaseline(seed=seed),
    )
    for baseline in baselines:
        log.info("fitting %s", baseline.name)
        scorers[baseline.name] = fit_in_task(sample, baseline, columns)
    return scorers


def scored_days(rows: pa.Table, log_odds: Float64s) -> ScoredDays:
    """Convert rows of :func:`with_truth`, and the log-odds in their order."""
    return ScoredDays(
        log_odds=log_odds,
        is_fraud=flags(rows, "is_fraud"),
        is_known=_is_known(rows),
        recorded=recorded_purchases(rows),
    )


def by_id(rows: DataFrame) -> pa.Table:
    """Collect rows without their vectors, in the order of their ids."""
    columns = [name for name in rows.columns if name not in _NOT_COLLECTED]
    return rows.select(*columns).toArrow().sort_by("transaction_id")


def _is_known(rows: pa.Table) -> Bools:
    return np.asarray(rows.column("left_out").is_null().to_numpy(), dtype=np.bool_)


def _tested(test: DataFrame, answers: Sequence[DataFrame]) -> FoldScores:
    """Collect the test rows' labels and scores, in the order of their ids."""
    every = by_id(test)
    is_known = _is_known(every)
    rows = every.filter(pa.array(is_known))
    scores: dict[str, Float64s] = {}
    for answer in map(by_id, answers):
        for name in answer.column_names[1:]:
            scores[name] = answer.column(name).to_numpy()
    days = scored_days(every, scores[CHALLENGER])
    scores[CHALLENGER] = probability_of(days.log_odds)
    return FoldScores(
        labelled=LabelledScores(
            transaction=keys_of(rows.column("transaction_id").to_pylist()),
            card=keys_of(rows.column("card").to_pylist()),
            event_at_ms=rows.column("event_at_ms").to_numpy(),
            eur_cents=doubles(rows, "amount_eur_cents"),
            is_fraud=flags(rows, "is_fraud"),
        ),
        scores={name: score[is_known] for name, score in scores.items()},
        served_score=doubles(rows, "served_score"),
        days=days,
        segments={name: objects(rows, name) for name in SEGMENTS},
    )
