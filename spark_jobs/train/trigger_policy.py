"""Whether a training that nobody asked for by hand is worth while now."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.domain.messages.label import LabelValue
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.lake import CORE_JOB_OUTCOMES, CORE_LABELS, DATABASE

EVERY_DAYS = 7
COOL_DOWN_DAYS = 3


class Reason(enum.StrEnum):
    """Who asks."""

    PERSON = "person"
    SCHEDULE = "schedule"
    DRIFT = "drift"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is known when a training is asked for; None: it never happened."""

    trained_at_ms: int | None
    promoted_at_ms: int | None
    new_frauds: int


def state_of(spark: SparkSession, job: str, promoted_at_ms: int | None) -> State:
    """When it last trained, and how many frauds came to be known since."""
    runs = spark.table(f"{DATABASE}.{CORE_JOB_OUTCOMES}")
    trained = runs.where((F.col("job") == job) & (F.col("rows_out") > 0))
    trained_at_ms = trained.agg(F.max("ended_at_ms")).collect()[0][0]
    frauds = spark.table(f"{DATABASE}.{CORE_LABELS}").where(
        (F.col("verdict") == str(LabelValue.FRAUD)) & (F.col("known_at_ms") >= (trained_at_ms or 0))
    )
    return State(
        trained_at_ms=trained_at_ms,
        promoted_at_ms=promoted_at_ms,
        new_frauds=frauds.select("transaction_id").distinct().count(),
    )


def not_wanted(reason: Reason, state: State, *, now_ms: int, new_frauds: int) -> str:
    """Why this training need not be, in a sentence; empty: it is wanted."""
    if reason is Reason.DRIFT and state.promoted_at_ms is not None:
        days = (now_ms - state.promoted_at_ms) / DAY_MS
        if days < COOL_DOWN_DAYS:
            return (
                f"the champion came into use {days:.1f} days ago and a new one is tried for drift "
                f"after {COOL_DOWN_DAYS} at the earliest: labels of its own days have to come in"
            )
    if reason is Reason.SCHEDULE and state.trained_at_ms is not None:
        days = (now_ms - state.trained_at_ms) / DAY_MS
        if days < EVERY_DAYS and state.new_frauds < new_frauds:
            return (
                f"the last training was {days:.1f} days ago and {state.new_frauds} frauds came to "
                f"be known since; every {EVERY_DAYS} days or {new_frauds} new frauds make a new one"
            )
    return ""
