"""``fraudwatch reconcile``: a day of the stream, held against the batch layer's computation."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from fraudwatch.cli import output
from fraudwatch.stack import catalogue
from fraudwatch.stack.foreground import run_in_front
from fraudwatch.stack.place import Place

SERVICE = "reconcile"
DAY = "%Y-%m-%d"
# What the job ends with when more is different than is allowed: its document is there all the same.
DIFFERENT = 3


def reconcile(
    *,
    day: Annotated[
        datetime, typer.Option("--date", formats=[DAY], metavar="YYYY-MM-DD", help="The UTC day.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Compute a day of the stream again and compare; exit code 3 when they disagree.

    The day is that on which purchases were taken in, not that of their events.
    """
    arguments = ["--date", day.strftime(DAY), "--json"]
    ended = run_in_front(
        Place.from_environment(),
        catalogue.load(),
        SERVICE,
        arguments,
        output.say,
        good=(0, DIFFERENT),
    )
    if as_json:
        output.print_json(ended.told)
    else:
        output.results.print(ended.told["said"], markup=False, soft_wrap=True)
    if ended.exit_code:
        raise typer.Exit(ended.exit_code)
