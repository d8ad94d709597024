"""``fraudwatch build-states``: fold the archive into a state that the detector can start from."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from fraudwatch.cli.reporting_job import run_and_print

SERVICE = "build_states"
DAY = "%Y-%m-%d"


def build_states(
    *,
    day: Annotated[
        datetime, typer.Option("--date", formats=[DAY], metavar="YYYY-MM-DD", help="UTC day.")
    ],
    is_from_archive_start: Annotated[
        bool,
        typer.Option(
            "--from-archive-start",
            help="Begin every customer's history with the archive, if older messages are gone.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Build the customers' state at a day's end, and publish it for a detector without snapshots.

    It is the day on which purchases were ingested, not the day of their events.
    """
    arguments = ["--date", day.strftime(DAY)]
    if is_from_archive_start:
        arguments.append("--from-archive-start")
    run_and_print(SERVICE, arguments, sentence="text", as_json=as_json)
