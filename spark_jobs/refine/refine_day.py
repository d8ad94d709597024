"""Refine the extract of a closed day: merge purchases that the log lacks, and rejected lines.

The extract is checked against its manifest before anything is written. Purchases that an earlier
extract of the day added and this one no longer contains are deleted; those of the log stay. Running
twice changes nothing.

Example: spark-submit spark_jobs/refine/refine_day.py --day 2026-11-20 --json
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Sequence
from datetime import date

from pyspark.sql import SparkSession

from fraudwatch.adapters.lake.commit import LakeBusy
from fraudwatch.adapters.lake.outcomes import append_outcomes, outcome_of
from fraudwatch.adapters.lake.session import open_lake
from fraudwatch.domain.lake.day_extract import ExtractManifest
from fraudwatch.domain.lake.job_outcome import JobOutcome
from fraudwatch.observability.job_metrics import run_job
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import LakeSettings
from spark_jobs.print_outcomes import print_outcomes
from spark_jobs.refine.day_refining import refine_extract
from spark_jobs.refine.extract_reading import ExtractUnusable, interval_of, read_manifest

log = logging.getLogger("refine_day")


def run(spark: SparkSession, lake: LakeSettings, day: date) -> Sequence[JobOutcome]:
    """Refine one day; the extract's own job outcome is recorded here, from its manifest.

    Raises:
        ExtractUnusable: nothing was written.
        LakeBusy: concurrent writers of the same day kept winning.
    """
    began_at_ms = time.time_ns() // 1_000_000
    manifest = read_manifest(spark, lake, day)
    counted = refine_extract(spark, lake, manifest)
    log.info("%s: %d purchases in, %d written", day, counted.rows_in, counted.rows_out)
    outcomes = (
        outcome_of_extract(manifest),
        outcome_of("refine_day", counted, began_at_ms=began_at_ms),
    )
    append_outcomes(spark, outcomes)
    return outcomes


def outcome_of_extract(manifest: ExtractManifest) -> JobOutcome:
    """Build the extract's job outcome from its manifest: the extract itself writes no table."""
    from_ms, until_ms = interval_of(date.fromisoformat(manifest.day))
    return JobOutcome(
        run_id=manifest.run_id,
        job="extract_day",
        from_ms=from_ms,
        until_ms=until_ms,
        rows_in=manifest.purchases,
        rows_out=manifest.accepted,
        rows_rejected=sum(manifest.rejected.values()),
        reasons=json.dumps(dict(manifest.rejected), sort_keys=True),
        began_at_ms=manifest.began_at_ms,
        ended_at_ms=manifest.ended_at_ms,
        code_version=manifest.code_version,
    )


def main() -> int:
    """Run the job once, print its outcomes and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--day", type=date.fromisoformat, required=True, help="2026-11-20, UTC")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    arguments = parser.parse_args()
    configure_logging("refine_day")
    lake = LakeSettings()
    try:
        outcomes = run(open_lake(lake, "refine_day"), lake, arguments.day)
    except (ExtractUnusable, LakeBusy) as error:
        log.error("%s", error)  # noqa: TRY400  the sentence is enough; a traceback would bury it
        return 1
    print_outcomes(outcomes, as_json=arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(run_job("refine_day", main))
