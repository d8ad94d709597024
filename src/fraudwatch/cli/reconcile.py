"""``fraudwatch reconcile``: compare a day of the stream with the batch layer's computation."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from fraudwatch.cli import output
from fraudwatch.stack import catalogue
from fraudwatch.stack.foreground import run_in_foreground
from fraudwatch.stack.home import Home

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
    arguments = ["--date", day.strftime(DAY), "--json"]
    ended = run_in_foreground(
        Home.from_environment(),
        catalogue.load(),
        SERVICE,
        arguments,
        output.notify,
        accepted_codes=(0, DIFFERENT),
    )
    if as_json:
        output.print_json(ended.document)
    else:
        output.results.print(ended.document["said"], markup=False, soft_wrap=True)
    if ended.exit_code:
        raise typer.Exit(ended.exit_code)
