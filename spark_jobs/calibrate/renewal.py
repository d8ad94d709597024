"""Renew the active calibration's alert and novelty curve by the days that its model scored."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch import lake
from fraudwatch.adapters.artefacts.calibration_artefact import read_calibration, write_calibration
from fraudwatch.adapters.artefacts.model_folder import renew_calibration
from fraudwatch.adapters.artefacts.model_pointer import locked_pointer
from fraudwatch.adapters.artefacts.model_pruning import prune_fitted
from fraudwatch.application.promotion.promote import ChampionChanged
from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.calibration.calibration import Calibration
from fraudwatch.domain.calibration.fit_calibration import RecordedPurchases, with_curves_of
from fraudwatch.domain.evaluation.whole_days import on_whole_days
from fraudwatch.domain.lake.counted_rows import CountedRows
from fraudwatch.domain.messages.verdict import Mode
from fraudwatch.domain.models.fitted import VERSION_LENGTH, ModelKind
from spark_jobs.days import Days
from spark_jobs.recorded_verdicts import doubles, flags, recorded_columns, recorded_purchases

DAYS: Final = 7
FEWEST_DAYS: Final = 3


class RenewalOutcome(enum.StrEnum):
    """Outcome of a renewal; only RENEWED changes what is active."""

    RENEWED = "renewed"
    NOT_ENOUGH_DAYS = "not_enough_days"
    NO_MODEL = "no_model"
    MODEL_CHANGED = "model_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """Result of a renewal, its reason in a sentence, and the hash of the newer calibration."""

    outcome: RenewalOutcome
    because: str
    calibration: str | None = None
    days: int = 0
    counted: CountedRows = field(default_factory=CountedRows)


class _Active(NamedTuple):
    """Active classifier with its calibration, and the active forest."""

    model_sha256: str
    forest_sha256: str | None
    calibration: Calibration


class _Scored(NamedTuple):
    """Purchases of whole days, with the scores that the active model gave them."""

    score: Float64s
    recorded: RecordedPurchases
    counted: CountedRows

    @property
    def days(self) -> int:
        return len(np.unique(self.recorded.day))


def renew(spark: SparkSession, folder: Path, last: date, now_ms: int) -> Renewal:
    """Renew the active calibration by the seven days up to the last, both included.

    Raises:
        BrokenCalibration: the active calibration cannot be read.
        BrokenModel: the pointer or the model cannot be read.
        FileNotFoundError: an active artefact is not there.
    """
    active = _active(folder)
    if active is None:
        return Renewal(
            outcome=RenewalOutcome.NO_MODEL,
            because="no calibrated model is active, so there is no curve to renew",
        )
    scored = _scored(spark, Days(last - timedelta(days=DAYS - 1), last), active.model_sha256)
    if scored.days < FEWEST_DAYS:
        return Renewal(
            outcome=RenewalOutcome.NOT_ENOUGH_DAYS,
            because=f"not enough days: model {active.model_sha256[:VERSION_LENGTH]} scored "
            f"{scored.days} of the {DAYS} days up to {last} whole, and {FEWEST_DAYS} are needed; "
            "the active calibration stays",
            days=scored.days,
            counted=scored.counted,
        )
    return _renewed(folder, active, scored, now_ms)


def _renewed(folder: Path, active: _Active, scored: _Scored, now_ms: int) -> Renewal:
    newer = with_curves_of(
        active.calibration,
        scored.score,
        scored.recorded,
        forest_sha256=active.forest_sha256,
        fitted_at_ms=now_ms,
    )
    sha256 = write_calibration(folder, newer)
    try:
        renew_calibration(folder, active.model_sha256, sha256)
    except ChampionChanged as changed:
        return Renewal(
            outcome=RenewalOutcome.MODEL_CHANGED,
            because=str(changed),
            days=scored.days,
            counted=scored.counted,
        )
    prune_fitted(folder)
    return Renewal(
        outcome=RenewalOutcome.RENEWED,
        because=f"alerts are counted by {len(scored.score):,} purchases of {scored.days} days",
        calibration=sha256,
        days=scored.days,
        counted=scored.counted,
    )


def _active(folder: Path) -> _Active | None:
    """Read what is active; None without a classifier and its calibration."""
    with locked_pointer(folder) as pointer:
        model = pointer.models.get(ModelKind.XGBOOST)
        if model is None or pointer.calibration is None:
            return None
        forest = pointer.models.get(ModelKind.ISOLATION_FOREST)
        return _Active(model, forest, read_calibration(folder, pointer.calibration))


def _scored(spark: SparkSession, days: Days, model_sha256: str) -> _Scored:
    """Select days of which the model scored nearly all purchases, by any of its calibrations."""
    verdicts = spark.table(f"{lake.DATABASE}.{lake.CORE_VERDICTS}").where(days.contains("event_on"))
    is_calibrated = (F.col("mode") == str(Mode.WITH_MODEL)) & (F.col("calibration") != "")
    rows = verdicts.select(
        *recorded_columns(), "event_at_ms", is_calibrated.alias("is_calibrated")
    ).toArrow()
    versions = np.array(rows.column("model_version").to_pylist(), dtype=np.object_)
    recorded = recorded_purchases(rows)
    is_its = flags(rows, "is_calibrated") & (versions == model_sha256[:VERSION_LENGTH])
    chosen = on_whole_days(recorded.day, is_its)
    others = len(chosen) - int(chosen.sum())
    counted = CountedRows(
        rows_in=len(chosen),
        rows_out=int(chosen.sum()),
        rejected={"not_of_a_whole_day": others} if others else {},
        from_ms=days.from_ms,
        until_ms=days.until_ms,
    )
    return _Scored(doubles(rows, "served_score")[chosen], recorded.part(chosen), counted)
