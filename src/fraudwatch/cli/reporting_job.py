"""Run a job that reports one JSON object, and print it, or the one sentence of it."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from fraudwatch.cli import output
from fraudwatch.stack import catalogue
from fraudwatch.stack.foreground import run_in_foreground
from fraudwatch.stack.home import Home


def run_and_print(
    service: str,
    arguments: Sequence[str],
    *,
    sentence: str,
    as_json: bool,
    problem_code: int | None = None,
) -> None:
    """Run the job in the foreground and print what it reports.

    Args:
        service: the job's name in the catalogue.
        arguments: its arguments but ``--json``, by which it prints its report.
        sentence: the report's field that is printed unless ``as_json``.
        as_json: print the report.
        problem_code: exit code by which it reports a problem with its result; passed on.
    """
    accepted = (0,) if problem_code is None else (0, problem_code)
    ended = run_in_foreground(
        Home.from_environment(),
        catalogue.load(),
        service,
        [*arguments, "--json"],
        output.notify,
        accepted_codes=accepted,
    )
    if as_json:
        output.print_json(ended.document)
    else:
        output.results.print(ended.document[sentence], markup=False, soft_wrap=True)
    if ended.exit_code:
        raise typer.Exit(ended.exit_code)
