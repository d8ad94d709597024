"""Trigger policy: whether a scheduled or drift-triggered training is due."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.messages.label import LabelValue
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.domain.training.versions import ModelVersion
from fraudwatch.lake import CORE_JOB_OUTCOMES, CORE_LABELS, DATABASE
from spark_jobs.train.promotion import FEATURES_VERSION, LABEL_DELAY

EVERY_DAYS = 7
COOL_DOWN_DAYS = 3


class TrainingReason(enum.StrEnum):
    """Trigger of a training."""

    PERSON = "person"
    SCHEDULE = "schedule"
    DRIFT = "drift"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingState:
    """State that the trigger policy decides on; None: it never happened."""

    trained_at_ms: int | None
    promoted_at_ms: int | None
    new_frauds: int
    is_champion_unusable: bool = False
    """It is of another label delay or features version than today's: the stream leaves it out."""


def training_state(
    spark: SparkSession, job: str, champion: ModelVersion | None, label_delay_days: int
) -> TrainingState:
    """Read when the last training ran, how many frauds were labelled since, and the champion."""
    runs = spark.table(f"{DATABASE}.{CORE_JOB_OUTCOMES}")
    trained = runs.where((F.col("job") == job) & (F.col("rows_out") > 0))
    trained_at_ms = trained.agg(F.max("ended_at_ms")).collect()[0][0]
    frauds = spark.table(f"{DATABASE}.{CORE_LABELS}").where(
        (F.col("verdict") == str(LabelValue.FRAUD)) & (F.col("known_at_ms") >= (trained_at_ms or 0))
    )
    return TrainingState(
        trained_at_ms=trained_at_ms,
        promoted_at_ms=champion.promoted_at_ms if champion else None,
        new_frauds=frauds.select("transaction_id").distinct().count(),
        is_champion_unusable=champion is not None
        and _fitted_with(champion) != (str(label_delay_days), features_version()),
    )


def _fitted_with(version: ModelVersion) -> tuple[str | None, str | None]:
    return version.tags.get(LABEL_DELAY), version.tags.get(FEATURES_VERSION)


def reason_to_skip(
    reason: TrainingReason, state: TrainingState, *, now_ms: int, new_frauds: int
) -> str:
    """Return why the training is skipped, in a sentence; empty if it is due.

    Without a champion that the stream can use, its successor is due at once.
    """
    if state.is_champion_unusable:
        return ""
    if reason is TrainingReason.DRIFT and state.promoted_at_ms is not None:
        days = (now_ms - state.promoted_at_ms) / DAY_MS
        if days < COOL_DOWN_DAYS:
            return (
                f"the champion was promoted {days:.1f} days ago and drift triggers a new training "
                f"after {COOL_DOWN_DAYS} days at the earliest: labels of its own days have to come "
                "in first"
            )
    if reason is TrainingReason.SCHEDULE and state.trained_at_ms is not None:
        days = (now_ms - state.trained_at_ms) / DAY_MS
        if days < EVERY_DAYS and state.new_frauds < new_frauds:
            return (
                f"the last training was {days:.1f} days ago and {state.new_frauds} frauds were "
                f"labelled since; a new one is due after {EVERY_DAYS} days or {new_frauds} frauds"
            )
    return ""
