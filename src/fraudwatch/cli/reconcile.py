"""``fraudwatch reconcile``: compare a day of the stream with the batch layer's computation."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from fraudwatch.cli.reporting_job import run_and_print

SERVICE = "reconcile"
DAY = "%Y-%m-%d"
# The job's exit code for too many differences; it prints its document all the same.
DIFFERENT = 3


def reconcile(
    *,
    day: Annotated[
        datetime, typer.Option("--date", formats=[DAY], metavar="YYYY-MM-DD", help="UTC day.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Recompute a day of the stream and compare; exit code 3 if there are too many differences.

    It is the day on which purchases were ingested, not the day of their events.
    """
    arguments = ["--date", day.strftime(DAY)]
    run_and_print(SERVICE, arguments, sentence="said", as_json=as_json, problem_code=DIFFERENT)
