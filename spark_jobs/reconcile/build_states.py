"""Build the customers' state at the end of a day with today's features, and publish it.

Before a detector with new features starts on a topic that no longer begins at offset 0, and when it
has lost its snapshots: it takes this state and folds on. Reconciliation continues from it as well,
so that stream and batch have the same past.

The fold begins at the newest earlier day that is stored for this features version, else at the
beginning of the archive. Nothing is compared; a second run gives the same bytes.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch import lake
from fraudwatch.adapters.lake.commit import LakeBusy
from fraudwatch.adapters.lake.session import open_lake
from fraudwatch.batch_settings import StatesSettings
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.reconciliation.day_cut import DayCut
from fraudwatch.observability.job_metrics import run_job, send_rows
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import LakeSettings
from spark_jobs.days import day_parser
from spark_jobs.reconcile.customer_states import Base, end_of_day, newest_base, save_states
from spark_jobs.reconcile.day_fold import fold_on
from spark_jobs.reconcile.published_states import publish_states
from spark_jobs.reconcile.rows import cut_of, within
from spark_jobs.reconcile.sources import NotArchived, reconcilable_until_ms

JOB: Final = "build_states"
EXAMPLE: Final = (
    "Example: spark-submit spark_jobs/reconcile/build_states.py --date 2026-11-20 --json"
)

log = logging.getLogger(JOB)


class ArchiveTruncated(RuntimeError):
    """The archive does not have all messages from the fold's start to the day's end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateBuild:
    """Engine and folder for building the state of a day."""

    spark: SparkSession
    states_folder: Path
    splits: int
    today: date
    is_from_archive_start: bool = False

    def of(self, day: date) -> int:
        """Fold up to the day's end, store and publish the state; return its customers.

        Raises:
            NotArchived: the day is not archived to its end.
            ArchiveTruncated: the archive lacks messages that the fold needs.
            LakeBusy: concurrent writers of the states kept winning.
        """
        until_ms = reconcilable_until_ms(self._table(lake.CORE_JOB_OUTCOMES), day, self.today)
        archived = self._table(lake.RAW_TRANSACTION_TOPIC)
        cut = cut_of(archived, day, until_ms)
        base = newest_base(self.spark, day, cut, features_version())
        if base.day is None and self.is_from_archive_start:
            base = Base(ends=first_offsets(archived))
        needed = DayCut(base.ends, cut.ends)
        messages = archived.where(within(needed, "source_partition", "source_offset"))
        if (found := messages.count()) != needed.messages:
            raise ArchiveTruncated(_reason(base, found, needed.messages))
        log.info("%s: folding %d messages, from the state of %s", day, found, base.day)
        initial = base.states(self.spark)
        folded = fold_on(messages.withColumn("emit_features", F.lit(False)), initial, self.splits)
        save_states(end_of_day(folded, initial), day, cut.ends, features_version())
        return publish_states(self.spark, Base(day, cut.ends), self.states_folder)

    def _table(self, name: str) -> DataFrame:
        return self.spark.table(f"{lake.DATABASE}.{name}")


def first_offsets(archived: DataFrame) -> dict[int, int]:
    """Return by partition the first offset that the archive has."""
    first = archived.groupBy("source_partition").agg(F.min("source_offset").alias("first"))
    return {row.source_partition: row.first for row in first.collect()}


def _reason(base: Base, found: int, needed: int) -> str:
    start = f"the state of {base.day}" if base.day else "offset 0"
    return (
        f"the archive of transaction_topic has {found} of the {needed} messages from {start} to "
        "the day's end, so the customers' history would be incomplete and nothing was stored; "
        "archive them, or pass --from-archive-start to begin every customer's history with the "
        "archive, in stream and batch alike"
    )


def main() -> int:
    """Run the job once, print its result and return the exit code."""
    parser = day_parser(JOB, __doc__, EXAMPLE)
    parser.add_argument(
        "--from-archive-start",
        action="store_true",
        help="begin every customer's history with the archive if it does not begin at offset 0",
    )
    arguments = parser.parse_args()
    configure_logging(JOB)
    try:
        customers = _run(arguments)
    except (NotArchived, ArchiveTruncated, LakeBusy) as error:
        log.error("%s", error)  # noqa: TRY400  the sentence is enough; a traceback would bury it
        return 1
    send_rows({JOB: customers})
    text = f"{arguments.date}: the state of {customers} customers is published"
    document = {"date": str(arguments.date), "customers": customers, "text": text}
    sys.stdout.write((json.dumps(document) if arguments.json else text) + "\n")
    return 0


def _run(arguments: argparse.Namespace) -> int:
    settings = LakeSettings()
    return StateBuild(
        spark=open_lake(settings, JOB),
        states_folder=StatesSettings().folder,
        splits=settings.shuffle_partitions,
        today=datetime.now(UTC).date(),
        is_from_archive_start=arguments.from_archive_start,
    ).of(arguments.date)


if __name__ == "__main__":
    sys.exit(run_job(JOB, main))
