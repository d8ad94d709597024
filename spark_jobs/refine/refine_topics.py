"""Refine the archived topics into valid rows, one a purchase, refund, verdict and label.

Reads what was archived since its last run. Rejected messages are counted by reason and stay in the
raw layer; running twice changes nothing. To refine everything anew, remove the checkpoint folder of
a raw table and run it again.

Example: spark-submit spark_jobs/refine/refine_topics.py --json
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.adapters.lake.outcomes import append_outcomes, outcome_of
from fraudwatch.adapters.lake.session import open_lake
from fraudwatch.domain.lake.job_outcome import JobOutcome
from fraudwatch.lake import CORE_LABELS, DATABASE
from fraudwatch.observability.job_metrics import is_on, run_job, send_gauge
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import LakeSettings
from spark_jobs.print_outcomes import print_outcomes
from spark_jobs.refine.topic_refining import REFINED, RefiningStopped, refine

log = logging.getLogger("refine_topics")


class RefineResult(NamedTuple):
    """Outcomes of a run, and the tables that failed, one sentence each."""

    outcomes: Sequence[JobOutcome]
    failed: Sequence[str]


def run(spark: SparkSession, lake: LakeSettings) -> RefineResult:
    """Refine every table; a failed one does not stop the others."""
    outcomes: list[JobOutcome] = []
    failed: list[str] = []
    for step in REFINED:
        began_at_ms = time.time_ns() // 1_000_000
        try:
            counted = refine(spark, lake, step)
        except RefiningStopped as error:
            failed.append(str(error))
            continue
        log.info("%s: %d rows in, %d out", step.name, counted.rows_in, counted.rows_out)
        outcomes.append(outcome_of(f"refine_topics:{step.name}", counted, began_at_ms=began_at_ms))
    append_outcomes(spark, outcomes)
    return RefineResult(outcomes, failed)


def send_newest_label(spark: SparkSession) -> None:
    """Send when the newest label became known, as a metric."""
    if is_on():
        labels = spark.table(f"{DATABASE}.{CORE_LABELS}")
        newest: Any = labels.agg(F.max("known_at_ms")).first()
        if newest[0] is not None:
            send_gauge("fraudwatch_labels_newest_at_seconds", newest[0] / 1_000)


def main() -> int:
    """Run the job once, print its outcomes and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    as_json = parser.parse_args().json
    configure_logging("refine_topics")
    lake = LakeSettings()
    spark = open_lake(lake, "refine_topics")
    done = run(spark, lake)
    send_newest_label(spark)
    print_outcomes(done.outcomes, as_json=as_json, failed=done.failed)
    for sentence in done.failed:
        log.error("%s", sentence)
    return 1 if done.failed else 0


if __name__ == "__main__":
    sys.exit(run_job("refine_topics", main))
