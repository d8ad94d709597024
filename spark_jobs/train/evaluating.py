"""One fold: every model learns from its training days and is asked about its test days."""

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
from spark_jobs.train.dataset import Dataset, NotEnough, day_named
from spark_jobs.train.sklearn_baselines import (
    AutoencoderRival,
    IsolationForestRival,
    OneClassSvmRival,
)
from spark_jobs.train.spark_random_forest import NAME as FOREST
from spark_jobs.train.spark_random_forest import fit_random_forest
from spark_jobs.train.spark_xgboost import BoosterScorer, BoosterShape, fit_booster
from spark_jobs.train.training_rows import believed, drawn
from spark_jobs.train.vector_tasks import Learner, Scorer, as_lists, fit_in_task, scored, vectors

log = logging.getLogger("train_model")

CHALLENGER = "xgboost"
SEGMENTS = ("channel", "category", "merchant_country")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """The test days of a fold, row by row: the truth, what was served, what each model says."""

    judged: LabelledScores
    scores: Mapping[str, Float64s]
    served_score: Float64s
    model_version: npt.NDArray[np.object_]
    model_score: Float64s
    anomaly_score: Float64s
    points: Int64s
    segments: Mapping[str, npt.NDArray[np.object_]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """The challenger of a fold, and what it learned from."""

    fold: Fold
    booster: xgb.Booster
    columns: Int64s
    normal: Normal
    drawn: Sample
    tested: Tested


def learn(data: Dataset, fold: Fold, settings: ChallengerSettings, *, rivals: bool) -> Learned:
    """Fit and ask everybody.

    Raises:
        NotEnough: too few frauds, or no genuine purchase, on either side.
    """
    known = believed(data.rows, labels_as_of(data.changes, fold.known_until_ms))
    train, test = _of_days(known, fold.train_first, fold.train_end), _tested_rows(data, fold)
    draw = _expect_both(train, "training", settings)
    _expect_both(test, "test", settings)
    sample, columns, normal = _sample(train, settings.sample_rows)
    log.info("learning from %d frauds and %d genuine purchases", draw.frauds, draw.genuine)
    kept = drawn(train, draw).select("transaction_id", "features", "told", "is_fraud", "weight")
    listed = as_lists(kept, columns)
    booster = fit_booster(listed, BoosterShape(seed=settings.seed))
    asked: dict[str, Scorer] = {CHALLENGER: BoosterScorer(booster)}
    others: list[DataFrame] = []
    if rivals:
        asked |= _unsupervised(sample, columns, settings.seed)
        log.info("%s learns", FOREST)
        few = drawn(train, sample_of(draw.frauds, draw.genuine, settings.sample_rows))
        forest = fit_random_forest(few, columns, normal.median, seed=settings.seed)
        others.append(forest.scored(test))
    return Learned(
        fold=fold,
        booster=booster,
        columns=columns,
        normal=normal,
        drawn=draw,
        tested=_tested(test, [scored(test, asked, columns), *others]),
    )


def _of_days(rows: DataFrame, first: int, end: int) -> DataFrame:
    return rows.where(F.col("event_on").between(F.lit(day_named(first)), F.lit(day_named(end - 1))))


def _tested_rows(data: Dataset, fold: Fold) -> DataFrame:
    """The test days whole, by what is known today: nothing is drawn, nothing is left out."""
    known = believed(data.rows, labels_as_of(data.changes, data.today * DAY_MS))
    return _of_days(known, fold.test_first, fold.test_end)


def _expect_both(rows: DataFrame, what: str, settings: ChallengerSettings) -> Sample:
    counted = {one.is_fraud: one["count"] for one in rows.groupBy("is_fraud").count().collect()}
    frauds, genuine = counted.get(True, 0), counted.get(False, 0)
    if frauds < settings.fewest_frauds or not genuine:
        raise NotEnough(
            f"the {what} days hold {frauds} known frauds and {genuine} other purchases, and "
            f"{settings.fewest_frauds} frauds and at least one other purchase are needed; nothing "
            "was changed and what is in use stays: run this again when more labels are known"
        )
    return sample_of(frauds, genuine, settings.most_rows)


def _sample(train: DataFrame, most_rows: int) -> tuple[DataFrame, Int64s, Normal]:
    """Rows for those who take few, the features that anybody knows there, and what is usual."""
    some = train.orderBy(F.xxhash64("transaction_id")).limit(most_rows)
    sample = some.withColumn("weight", F.lit(1.0)).persist(StorageLevel.DISK_ONLY)
    values = vectors(sample.select("features", "told").toArrow())
    columns = np.flatnonzero((~np.isnan(values)).any(axis=0))
    return sample, columns, normal_of(values[:, columns])


def _unsupervised(sample: DataFrame, columns: Int64s, seed: int) -> dict[str, Scorer]:
    found: dict[str, Scorer] = {}
    rivals: tuple[Learner, ...] = (
        IsolationForestRival(seed=seed),
        OneClassSvmRival(seed=seed),
        AutoencoderRival(seed=seed),
    )
    for rival in rivals:
        log.info("%s learns", rival.name)
        found[rival.name] = fit_in_task(sample, rival, columns)
    return found


def _tested(test: DataFrame, answers: Sequence[DataFrame]) -> Tested:
    """Everything about the test rows that numbers are made of, in the order of their ids."""
    rows = test.drop("features", "told", "event_on").toArrow().sort_by("transaction_id")
    ids = rows.column("transaction_id").to_pylist()
    scores: dict[str, Float64s] = {}
    for answer in answers:
        said = answer.toArrow().sort_by("transaction_id")
        for name in said.column_names[1:]:
            scores[name] = said.column(name).to_numpy()
    return Tested(
        judged=LabelledScores(
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
