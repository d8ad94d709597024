"""``fraudwatch refill-store``: write from the lake what retention took from the persister."""

from __future__ import annotations

from typing import Annotated

import typer

from fraudwatch.cli import output
from fraudwatch.stack import catalogue
from fraudwatch.stack.foreground import run_in_foreground
from fraudwatch.stack.home import Home

SERVICE = "refill_store"
# The job's exit code where the lake lacks messages too; it prints its document all the same.
LACKING = 3


def refill_store(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="The topic that is refused.")],
    *,
    is_lost_accepted: Annotated[
        bool,
        typer.Option("--accept-lost", help="Go on without messages that the lake lacks too."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Write messages that retention removed before the persister read them, from the lake.

    Then the persister continues after them. Exit code 3 if the lake lacks some too.
    """
    arguments = [topic, "--json"]
    if is_lost_accepted:
        arguments.append("--accept-lost")
    ended = run_in_foreground(
        Home.from_environment(),
        catalogue.load(),
        SERVICE,
        arguments,
        output.notify,
        accepted_codes=(0, LACKING),
    )
    if as_json:
        output.print_json(ended.document)
    else:
        output.results.print(ended.document["text"], markup=False, soft_wrap=True)
    if ended.exit_code:
        raise typer.Exit(ended.exit_code)
