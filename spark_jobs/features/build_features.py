"""Build ``core_features``: fold the archive into the features of some days' purchases.

A purchase's features depend on its customer's whole history. So the archive is always read from its
beginning, and the rows of the requested days are replaced in one commit. If the archive does not
begin at offset 0, the job logs a warning: the history before is then missing.
"""

from __future__ import annotations

import argparse
import logging
import sys

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch import lake
from fraudwatch.adapters.lake.spark_features import features_of
from fraudwatch.domain.lake.counted_rows import CountedRows
from fraudwatch.observability.job_metrics import run_job
from fraudwatch.settings import LakeSettings
from spark_jobs.day_job import Build, run_over_days
from spark_jobs.days import Days, replace_days

JOB = "build_features"
EXAMPLE = (
    "Example: spark-submit spark_jobs/features/build_features.py --from 2026-11-01 --until "
    "2026-11-20"
)
_TABLE = f"{lake.DATABASE}.{lake.CORE_FEATURES}"

log = logging.getLogger(JOB)


def build(spark: SparkSession, days: Days, splits: int) -> CountedRows:
    """Fold the archive and replace the rows of the requested days.

    Raises:
        LakeBusy: concurrent writers kept winning; the table was not changed by this run.
    """
    archived = spark.table(f"{lake.DATABASE}.{lake.RAW_TRANSACTION_TOPIC}")
    rows_in = archived.count()
    log.info("folding %d messages in %d tasks", rows_in, splits)
    _warn_if_truncated(archived)
    chosen = features_of(archived, splits).where(days.contains("event_on"))
    replace_days(chosen, _TABLE, "event_on", days)
    rows_out = spark.table(_TABLE).where(days.contains("event_on")).count()
    return CountedRows(
        rows_in=rows_in, rows_out=rows_out, from_ms=days.from_ms, until_ms=days.until_ms
    )


def _warn_if_truncated(archived: DataFrame) -> None:
    first = archived.groupBy("source_partition").agg(F.min("source_offset").alias("offset"))
    for row in first.where(F.col("offset") > 0).collect():
        log.warning(
            "the archive of partition %d begins at offset %d: earlier history is missing, so the "
            "first features of customers differ from those that were served",
            row.source_partition,
            row.offset,
        )


def main() -> int:
    """Run the job once, print its outcome and return the exit code."""
    parser = argparse.ArgumentParser(prog=JOB, description=__doc__, epilog=EXAMPLE)
    parser.add_argument("--splits", type=int, help="number of tasks; default: shuffle partitions")
    return run_over_days(parser, _with_splits)


def _with_splits(arguments: argparse.Namespace, settings: LakeSettings) -> Build:
    splits = arguments.splits or settings.shuffle_partitions
    return lambda spark, days, _began_at_ms: build(spark, days, splits)


if __name__ == "__main__":
    sys.exit(run_job(JOB, main))
