"""Calibrate a challenger by purchases before its test days, each scored by a model of other ones.

All prequential folds before the newest are pooled: the gate measures on the newest alone. With one
fold it is cross-fitted by customer: boosters of two thirds of the training days' customers score
all purchases of the others.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.adapters.artefacts.model_pointer import locked_pointer
from fraudwatch.batch_settings import ChallengerSettings
from fraudwatch.domain.calibration.calibration import Calibration
from fraudwatch.domain.calibration.fit_calibration import (
    CalibratedModel,
    fit_calibration,
    pooled,
)
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.models.fitted import ModelKind
from spark_jobs.train.dataset import Dataset, NotEnoughData
from spark_jobs.train.evaluating import (
    CHALLENGER,
    FittedFold,
    ScoredDays,
    by_id,
    fit_challenger,
    scored_days,
    training_days,
)
from spark_jobs.train.spark_xgboost import BoosterScorer
from spark_jobs.train.training_rows import known_rows
from spark_jobs.train.vector_tasks import scored

log = logging.getLogger("train_model")

_PARTS: Final = 3


def calibrate(
    data: Dataset,
    folds: Sequence[FittedFold],
    settings: ChallengerSettings,
    forest_sha256: str | None,
) -> Calibration:
    """Calibrate the newest fold's model, whose hash is not known yet.

    Raises:
        NotEnoughData: with one fold, nearly all labels of a kind are of one part of the customers.
    """
    *older, newest = folds
    if older:
        parts = [one.tested.days for one in older]
        words = f"prequential, {len(older)} {'fold' if len(older) == 1 else 'folds'}"
    else:
        parts = _cross_fitted(data, newest, settings)
        words = f"cross-fitted within the training days, {_PARTS} parts by customer"
    log.info("calibrating: %s", words)
    return fit_calibration(
        np.concatenate([one.log_odds for one in parts]),
        np.concatenate([one.is_fraud for one in parts]),
        np.concatenate([one.is_known for one in parts]),
        pooled([one.recorded for one in parts]),
        CalibratedModel(
            sha256="",
            forest_sha256=forest_sha256,
            features_version=features_version(),
            label_delay_days=data.label_delay_days,
        ),
        folds=words,
    )


def active_forest(folder: Path) -> str | None:
    """Return the hash of the active isolation forest, or None."""
    with locked_pointer(folder) as pointer:
        return pointer.models.get(ModelKind.ISOLATION_FOREST)


def _cross_fitted(
    data: Dataset, fitted: FittedFold, settings: ChallengerSettings
) -> list[ScoredDays]:
    train = training_days(data, fitted.fold).withColumn("part", _part_of_customer())
    _check_parts(known_rows(train))
    return [_out_of_fold(train, part, fitted, settings) for part in range(_PARTS)]


def _part_of_customer() -> Column:
    return F.pmod(F.xxhash64("customer"), F.lit(_PARTS))


def _check_parts(train: DataFrame) -> None:
    """Refuse to fit on the customers of two parts if they lack frauds or genuine purchases."""
    counted = train.groupBy("part", "is_fraud").count().collect()
    for part in range(_PARTS):
        if len({one.is_fraud for one in counted if one.part != part}) < 2:  # noqa: PLR2004  both kinds
            raise NotEnoughData(
                "the training days' known frauds, or their other purchases, are all of a few "
                "customers, so the model cannot be calibrated on other customers; nothing was "
                "changed and the active model stays: run this again when more labels are known"
            )


def _out_of_fold(
    train: DataFrame, part: int, fitted: FittedFold, settings: ChallengerSettings
) -> ScoredDays:
    """Score all purchases of one part by a booster of the others."""
    others, tested = train.where(F.col("part") != part), train.where(F.col("part") == part)
    booster = fit_challenger(known_rows(others), fitted.sample, fitted.columns, settings)
    answer = by_id(scored(tested, {CHALLENGER: BoosterScorer(booster)}, fitted.columns))
    return scored_days(by_id(tested), answer.column(CHALLENGER).to_numpy())
