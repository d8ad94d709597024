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
from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores
from fraudwatch.domain.features.hashing import keys_of
from fraudwatch.domain.models.fitted import Normal, normal_of
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.domain.training.downsampling import Sample, sample_of
from fraudwatch.domain.training.folds import Fold
from fraudwatch.domain.training.label_history import labels_as_of
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldScores:
    """Test days of a fold, row by row: labels, served scores and each model's scores."""

    labelled: LabelledScores
    scores: Mapping[str, Float64s]
    served_score: Float64s
    model_version: npt.NDArray[np.object_]
    model_score: Float64s
    anomaly_score: Float64s
    points: Int64s
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
    known = with_truth(data.rows, labels_as_of(data.changes, fold.known_until_ms))
    train, test = _of_days(known, fold.train_first, fold.train_end), _tested_rows(data, fold)
    labels = FoldLabels(training=count_labels(train), test=count_labels(test))
    share = _check_classes(labels.training, "training", settings)
    _check_classes(labels.test, "test", settings)
    train, test = known_rows(train), known_rows(test)
    sample, columns, normal = _sample(train, settings.sample_rows)
    log.info("training on %d frauds and %d genuine purchases", share.frauds, share.genuine)
    kept = downsample(train, share).select(
        "transaction_id", "features", "view_features", "is_fraud", "weight"
    )
    listed = as_lists(kept, columns)
    booster = fit_booster(listed, BoosterShape(seed=settings.seed))
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


def _of_days(rows: DataFrame, first: int, end: int) -> DataFrame:
    days = (F.lit(day_from_number(number)) for number in (first, end - 1))
    return rows.where(F.col("event_on").between(*days))


def _tested_rows(data: Dataset, fold: Fold) -> DataFrame:
    """Select the complete test days with today's labels, without downsampling."""
    known = with_truth(data.rows, labels_as_of(data.changes, data.today * DAY_MS))
    return _of_days(known, fold.test_first, fold.test_end)


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


def _tested(test: DataFrame, answers: Sequence[DataFrame]) -> FoldScores:
    """Collect the test rows' labels and scores, in the order of their ids."""
    rows = test.drop("features", "view_features", "event_on").toArrow().sort_by("transaction_id")
    ids = rows.column("transaction_id").to_pylist()
    scores: dict[str, Float64s] = {}
    for answer in answers:
        table = answer.toArrow().sort_by("transaction_id")
        for name in table.column_names[1:]:
            scores[name] = table.column(name).to_numpy()
    return FoldScores(
        labelled=LabelledScores(
            transaction=keys_of(ids),
            card=keys_of(rows.column("card").to_pylist()),
            event_at_ms=rows.column("event_at_ms").to_numpy(),
            eur_cents=_doubles(rows, "amount_eur_cents"),
            is_fraud=rows.column("is_fraud").to_numpy(zero_copy_only=False).astype(np.bool_),
        ),
        scores=scores,
        served_score=_doubles(rows, "served_score"),
        model_version=_objects(rows, "model_version"),
        model_score=_doubles(rows, "model_score"),
        anomaly_score=_doubles(rows, "anomaly_score"),
        points=rows.column("points").fill_null(0).to_numpy(),
        segments={name: _objects(rows, name) for name in SEGMENTS},
    )


def _doubles(rows: pa.Table, name: str) -> Float64s:
    return np.asarray(rows.column(name).cast("double").to_numpy(), dtype=np.float64)


def _objects(rows: pa.Table, name: str) -> npt.NDArray[np.object_]:
    return np.array(rows.column(name).to_pylist(), dtype=np.object_)
