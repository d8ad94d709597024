"""Mart ``out_pipeline_health``: completeness of each day in the lake."""

from __future__ import annotations

from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  its customary name

from spark_jobs.marts.judged import has_verdict
from spark_jobs.marts.sums import count_where

_COUNTS = (
    "transactions_from_log",
    "transactions_from_extract",
    "verdicts",
    "missing_verdicts",
    "purchases_rejected",
)


class Traces(NamedTuple):
    """Tables that the steps of the pipeline write."""

    scored: DataFrame
    rejected: DataFrame  # core_rejected_purchases
    outcomes: DataFrame  # core_job_outcomes
    archived: DataFrame  # raw_transaction_topic


def pipeline_health(days: DataFrame, traces: Traces, as_of: Column) -> DataFrame:
    """Compute one row for every requested day (``event_on``), zeros on a day without data."""
    rows = (
        days.join(_purchases(traces.scored), "event_on", "left")
        .join(_rejected(traces.rejected), "event_on", "left")
        .join(_jobs(traces.outcomes), "event_on", "left")
        .join(_archived(traces.archived), "event_on", "left")
        .fillna(0, subset=list(_COUNTS))
        .fillna("{}", subset=["rejected_by_code", "jobs_done"])
    )
    end_of_day = F.date_add("event_on", 1).cast("timestamp")
    seconds = F.least(end_of_day, as_of).cast("double") - F.col("archived_until").cast("double")
    # greatest() ignores NULL, and a day without an archive would look up to date.
    behind = F.when(seconds.isNotNull(), F.greatest(seconds, F.lit(0.0)) / 60)
    return rows.withColumn("minutes_behind", behind)


def _purchases(scored: DataFrame) -> DataFrame:
    is_from_log = F.col("origin") == "log"
    return scored.groupBy("event_on").agg(
        count_where(is_from_log).alias("transactions_from_log"),
        count_where(~is_from_log).alias("transactions_from_extract"),
        count_where(has_verdict()).alias("verdicts"),
        count_where(is_from_log & ~has_verdict()).alias("missing_verdicts"),
    )


def _rejected(rejected: DataFrame) -> DataFrame:
    by_code = rejected.groupBy("event_on", "code").agg(F.count("*").alias("rows"))
    return by_code.groupBy("event_on").agg(
        F.sum("rows").alias("purchases_rejected"), _as_json("code").alias("rejected_by_code")
    )


def _jobs(outcomes: DataFrame) -> DataFrame:
    by_job = outcomes.groupBy(F.col("ended_on").alias("event_on"), "job").agg(
        F.count_distinct("run_id").alias("rows")
    )
    return by_job.groupBy("event_on").agg(_as_json("job").alias("jobs_done"))


def _archived(archived: DataFrame) -> DataFrame:
    return archived.groupBy(F.col("produced_on").alias("event_on")).agg(
        F.max("produced_at").alias("archived_until")
    )


def _as_json(key: str) -> Column:
    """Build a JSON object of the rows by key, in a fixed order."""
    entries = F.sort_array(F.collect_list(F.struct(key, "rows")))
    return F.to_json(F.map_from_entries(entries))
