"""``fraudwatch refill-store``: write from the lake what retention took from the persister."""

from __future__ import annotations

from typing import Annotated

import typer

from fraudwatch.cli.reporting_job import run_and_print

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
    arguments = [topic, "--accept-lost"] if is_lost_accepted else [topic]
    run_and_print(SERVICE, arguments, sentence="text", as_json=as_json, problem_code=LACKING)
