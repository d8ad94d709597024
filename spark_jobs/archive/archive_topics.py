"""Archive transactions, verdicts, features, labels, audit records and dead letters, each once.

Appends what Kafka holds now to the lake's raw tables, then checks that no offset is missing or
duplicated. A killed run resumes where it stopped; running twice adds nothing.

Example: spark-submit spark_jobs/archive/archive_topics.py --json
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Collection, Sequence
from typing import NamedTuple

from pyspark.sql import SparkSession

from fraudwatch.adapters.kafka_log.log import RetentionOvertook
from fraudwatch.adapters.kafka_log.topic_check import TopicChanged
from fraudwatch.adapters.lake.archive_table import ARCHIVED
from fraudwatch.adapters.lake.outcomes import append_outcomes, outcome_of
from fraudwatch.adapters.lake.session import open_lake
from fraudwatch.domain.lake.job_outcome import JobOutcome
from fraudwatch.observability.job_metrics import run_job
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import KafkaSettings, LakeSettings
from spark_jobs.archive.archive_proof import GapFound
from spark_jobs.archive.topic_archive import ArchiveStopped, TopicArchive
from spark_jobs.print_outcomes import print_outcomes

log = logging.getLogger("archive_topics")


class ArchiveResult(NamedTuple):
    """Outcomes of a run, and the topics that failed, one sentence each."""

    outcomes: Sequence[JobOutcome]
    failed: Sequence[str]


def run(
    spark: SparkSession, lake: LakeSettings, kafka: KafkaSettings, accept_lost: Collection[str] = ()
) -> ArchiveResult:
    """Archive every topic; a failed one does not stop the others."""
    outcomes: list[JobOutcome] = []
    failed: list[str] = []
    for topic in ARCHIVED:
        began_at_ms = time.time_ns() // 1_000_000
        archive = TopicArchive(spark, lake, kafka, topic)
        try:
            counted = archive.run(accept_lost=topic in accept_lost)
        except (ArchiveStopped, GapFound, RetentionOvertook, TopicChanged) as error:
            failed.append(str(error))
            continue
        log.info("%s: %d rows archived, offsets complete", topic, counted.rows_out)
        outcomes.append(outcome_of(f"archive_topics:{topic}", counted, began_at_ms=began_at_ms))
    append_outcomes(spark, outcomes)
    return ArchiveResult(outcomes, failed)


def main() -> int:
    """Run the job once, print its outcomes and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    parser.add_argument(
        "--accept-lost",
        metavar="TOPIC",
        action="append",
        default=[],
        choices=sorted(ARCHIVED),
        help="resume after messages that retention deleted before they were archived",
    )
    arguments = parser.parse_args()
    configure_logging("archive_topics")
    lake = LakeSettings()
    done = run(open_lake(lake, "archive_topics"), lake, KafkaSettings(), arguments.accept_lost)
    print_outcomes(done.outcomes, as_json=arguments.json, failed=done.failed)
    for sentence in done.failed:
        log.error("%s", sentence)
    return 1 if done.failed else 0


if __name__ == "__main__":
    sys.exit(run_job("archive_topics", main))
