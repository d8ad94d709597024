"""Builds ``core_features``: the features of some days' purchases, by the fold over the archive.

What a purchase's features say depends on everything its customer did before. So the archive is
always read from its beginning, and the rows of the days asked for are replaced in one commit. Where
the archive no longer begins with the topic, the job says so: what came before is then not known.
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
    """Fold the archive and keep the days asked for.

    Raises:
        LakeBusy: others kept writing the table; it is as they left it.
    """
    archived = spark.table(f"{lake.DATABASE}.{lake.RAW_TRANSACTION_TOPIC}")
    rows_in = archived.count()
    log.info("folding %d messages in %d tasks", rows_in, splits)
    _tell_beginning(archived)
    wanted = features_of(archived, splits).where(days.holds("event_on"))
    replace_days(wanted, _TABLE, "event_on", days)
    rows_out = spark.table(_TABLE).where(days.holds("event_on")).count()
    return CountedRows(
        rows_in=rows_in, rows_out=rows_out, from_ms=days.from_ms, until_ms=days.until_ms
    )


def _tell_beginning(archived: DataFrame) -> None:
    first = archived.groupBy("source_partition").agg(F.min("source_offset").alias("offset"))
    for found in first.where(F.col("offset") > 0).collect():
        log.warning(
            "the archive of partition %d begins at offset %d: what customers did before is not "
            "known, so their first features differ from those that were served",
            found.source_partition,
            found.offset,
        )


def main() -> int:
    """Wire the job, run it once and say what came of it."""
    parser = argparse.ArgumentParser(prog=JOB, description=__doc__, epilog=EXAMPLE)
    parser.add_argument("--splits", type=int, help="tasks; as many as shuffle partitions if left")
    return run_over_days(parser, _with_splits)


def _with_splits(asked: argparse.Namespace, settings: LakeSettings) -> Build:
    splits = asked.splits or settings.shuffle_partitions
    return lambda spark, days, _began_at_ms: build(spark, days, splits)


if __name__ == "__main__":
    sys.exit(main())
