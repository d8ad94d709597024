"""Run a job that replaces whole days: parse arguments, time it, record and print its outcome."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable

from pyspark.sql import SparkSession

from fraudwatch.adapters.lake.commit import LakeBusy
from fraudwatch.adapters.lake.outcomes import append_outcomes, outcome_of
from fraudwatch.adapters.lake.session import open_lake
from fraudwatch.domain.lake.counted_rows import CountedRows
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import LakeSettings
from spark_jobs.days import Days, add_days
from spark_jobs.print_outcomes import print_outcomes

# Takes a session, the requested days, and when the job began, epoch ms.
Build = Callable[[SparkSession, Days, int], CountedRows]


def run_over_days(
    parser: argparse.ArgumentParser,
    build_of: Callable[[argparse.Namespace, LakeSettings], Build],
) -> int:
    """Run the job that the parser is named after, once; return the exit code."""
    add_days(parser)
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    arguments = parser.parse_args()
    configure_logging(parser.prog)
    try:
        days = Days(arguments.first, arguments.last)
    except ValueError as wrong:
        parser.error(str(wrong))
    began_at_ms, settings = time.time_ns() // 1_000_000, LakeSettings()
    spark = open_lake(settings, parser.prog)
    try:
        counted = build_of(arguments, settings)(spark, days, began_at_ms)
        outcomes = [outcome_of(parser.prog, counted, began_at_ms=began_at_ms)]
        append_outcomes(spark, outcomes)
    except LakeBusy as error:
        logging.getLogger(parser.prog).error("%s", error)  # noqa: TRY400  the sentence is enough
        return 1
    print_outcomes(outcomes, as_json=arguments.json)
    return 0
