"""Run ``fraudwatch chaos``: kill services in turn under load, then count losses and duplicates.

The command line starts it as ``python -m chaos``.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from chaos.faults import plan
from chaos.findings import count_lines
from chaos.load import Load
from chaos.own_folder import in_own_folder
from chaos.run import chaos_run
from fraudwatch.cli import entry_point, output
from fraudwatch.stack.private_stack import QUIET_SHOP, running

SOURCE: Final = "chaos"

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command(epilog="Example: ./fraudwatch chaos --kills 5 --seed 7")
def chaos(
    kills: Annotated[int, typer.Option(min=1, help="How many kills, in turn.")] = 20,
    seed: Annotated[int, typer.Option(help="Determines order, pauses and purchases.")] = 7,
    rate: Annotated[int, typer.Option(min=1, max=5_000, help="Purchases a second.")] = 300,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Kill -9 the services of the path in turn under load, then count losses and duplicates.

    Beside each ten kills, every process of the stack is killed at once and the stack started again.

    It runs on a private stack in a temporary folder, never on yours. The exit code is 0 only if no
    purchase is lost, duplicated, scored twice differently, or scored with features that differ
    from those of one fold.
    """
    output.notify(f"seed {seed}")
    report = in_own_folder("chaos", lambda folder: _run(folder, kills, seed, rate))
    if as_json:
        output.print_json(report)
    else:
        _print_report(report)
    if not report["ok"]:
        raise typer.Exit(entry_point.FAILED)


def _run(folder: Path, kills: int, seed: int, rate: int) -> dict[str, Any]:
    faults = plan(seed, kills)
    with running(folder, QUIET_SHOP, "speed") as stack:
        began, load = time.monotonic(), Load(seed, SOURCE)
        with chaos_run(stack, folder, load, rate, output.notify) as run:
            run.run_faults(faults)
            output.notify("waiting until everything sent is scored and stored ...")
            run.drain()
            return run.report(faults, run.count(), time.monotonic() - began)


def _print_report(report: dict[str, Any]) -> None:
    output.notify(
        f"{report['accepted']} purchases acknowledged, {report['verdicts']} verdicts, "
        f"{report['kills']} kills in {report['seconds']} s, {report['kills_at_a_verdict']} of them "
        f"right after a verdict, {report['kills_of_everything']} of everything at once"
    )
    for line in count_lines(report):
        output.notify(line)
    output.notify(f"repeated_messages: {describe_repeats(report['repeated_messages'])}")
    output.notify(
        "ok: nothing lost, nothing twice" if report["ok"] else "failed: see the counts above"
    )


def describe_repeats(repeated_messages: int) -> str:
    """Explain the number of repeated messages: without any, no conflict was possible."""
    if repeated_messages:
        return f"{repeated_messages}, so a micro-batch was replayed and its copies were compared"
    return "0, so no micro-batch was replayed: 'conflicting' had nothing to compare"


if __name__ == "__main__":
    entry_point.run(app, "fraudwatch chaos")
