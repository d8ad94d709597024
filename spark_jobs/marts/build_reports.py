"""Rebuild the marts (``out_`` tables) of some days from the core tables and the labels known now.

Each table's rows of these days are replaced in one commit: a run is idempotent and never leaves a
partial table. Labels arrive late: run it over the last weeks, not for a single day.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch import lake
from fraudwatch.domain.lake.counted_rows import CountedRows
from fraudwatch.observability.job_metrics import run_job
from spark_jobs.day_job import run_over_days
from spark_jobs.days import Days, replace_days
from spark_jobs.marts.analysts import analyst_workload
from spark_jobs.marts.calibration import calibration
from spark_jobs.marts.fraud import GROUPED_BY, fraud_by
from spark_jobs.marts.judged import labels_known_by, scored_purchases
from spark_jobs.marts.money import money
from spark_jobs.marts.pipeline import Traces, pipeline_health
from spark_jobs.marts.refunds import with_refunds
from spark_jobs.marts.rules import rule_performance

JOB = "build_reports"
EXAMPLE = (
    "Example: spark-submit spark_jobs/marts/build_reports.py --from 2026-11-01 --until 2026-11-20"
)

log = logging.getLogger(JOB)


def build(spark: SparkSession, days: Days, began_at_ms: int) -> CountedRows:
    """Build every mart of these days with the labels known when the run began.

    Raises:
        LakeBusy: concurrent writers kept winning; every table is either old or new.
    """
    labels = labels_known_by(_table(spark, lake.CORE_LABELS), began_at_ms).persist()
    verdicts = _table(spark, lake.CORE_VERDICTS)
    weeks = days.whole_weeks()  # for the customers of a week; only these days' rows are written
    transactions = _table(spark, lake.CORE_TRANSACTIONS).where(weeks.contains("event_on"))
    those_days = verdicts.where(weeks.contains("event_on"))
    refunds = _table(spark, lake.CORE_REFUNDS).where(weeks.contains("purchased_on"))
    purchases = scored_purchases(transactions, those_days, labels)
    of_weeks = with_refunds(purchases, refunds).persist()
    try:
        scored = of_weeks.where(days.contains("event_on"))
        rows_in, rows_out = scored.count(), 0
        log.info("%d purchases from %s to %s", rows_in, days.first, days.last)
        decided = labels.where(days.contains("known_on"))
        known_until = F.timestamp_millis(F.lit(began_at_ms))
        health = _health(spark, days, scored, known_until)
        for table, rows in (*_marts(of_weeks), *_others(decided, verdicts, health)):
            column = lake.REPORT_DAYS[table]
            replace_days(
                rows.where(days.contains(column))
                .withColumn("labels_known_until", known_until)
                .coalesce(1),
                f"{lake.DATABASE}.{table}",
                column,
                days,
            )
            written = _table(spark, table).where(days.contains(column)).count()
            rows_out += written
            log.info("%s: %d rows", table, written)
    finally:
        of_weeks.unpersist()
        labels.unpersist()
    return CountedRows(
        rows_in=rows_in, rows_out=rows_out, from_ms=days.from_ms, until_ms=days.until_ms
    )


def _marts(scored: DataFrame) -> Iterator[tuple[str, DataFrame]]:
    for table, keys in GROUPED_BY.items():
        yield table, fraud_by(scored, *keys)
    yield lake.OUT_RULE_PERFORMANCE, rule_performance(scored)
    yield lake.OUT_MONEY, money(scored)
    yield lake.OUT_CALIBRATION, calibration(scored)


def _others(
    decided: DataFrame, verdicts: DataFrame, health: DataFrame
) -> Iterator[tuple[str, DataFrame]]:
    yield lake.OUT_ANALYST_WORKLOAD, analyst_workload(decided, verdicts)
    yield lake.OUT_PIPELINE_HEALTH, health


def _health(spark: SparkSession, days: Days, scored: DataFrame, as_of: Column) -> DataFrame:
    traces = Traces(
        scored=scored,
        rejected=_table(spark, lake.CORE_REJECTED_PURCHASES).where(days.contains("event_on")),
        outcomes=_table(spark, lake.CORE_JOB_OUTCOMES).where(days.contains("ended_on")),
        archived=_table(spark, lake.RAW_TRANSACTION_TOPIC).where(days.contains("produced_on")),
    )
    return pipeline_health(days.frame(spark, "event_on"), traces, as_of)


def _table(spark: SparkSession, name: str) -> DataFrame:
    return spark.table(f"{lake.DATABASE}.{name}")


def main() -> int:
    """Run the job once, print its outcome and return the exit code."""
    parser = argparse.ArgumentParser(prog=JOB, description=__doc__, epilog=EXAMPLE)
    return run_over_days(parser, lambda _arguments, _settings: build)


if __name__ == "__main__":
    sys.exit(run_job(JOB, main))
