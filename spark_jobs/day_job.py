"""How a job that replaces whole days is run: asked for, timed, noted in the ledger, told of."""

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
from spark_jobs.print_outcomes import say

# Of a session, the days asked for, and when the job began, epoch ms.
Build = Callable[[SparkSession, Days, int], CountedRows]


def run_over_days(
    parser: argparse.ArgumentParser,
    build_of: Callable[[argparse.Namespace, LakeSettings], Build],
) -> int:
    """Run the job that the parser is named after, once; the answer is the exit code."""
    add_days(parser)
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    asked = parser.parse_args()
    configure_logging(parser.prog)
    try:
        days = Days(asked.first, asked.last)
    except ValueError as wrong:
        parser.error(str(wrong))
    began_at_ms, settings = time.time_ns() // 1_000_000, LakeSettings()
    spark = open_lake(settings, parser.prog)
    try:
        counted = build_of(asked, settings)(spark, days, began_at_ms)
        outcomes = [outcome_of(parser.prog, counted, began_at_ms=began_at_ms)]
        append_outcomes(spark, outcomes)
    except LakeBusy as error:
        logging.getLogger(parser.prog).error("%s", error)  # noqa: TRY400  the sentence says it
        return 1
    say(outcomes, as_json=asked.json)
    return 0
