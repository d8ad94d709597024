"""Run ``fraudwatch soak``: hours of load at a constant rate, then counts and memory growth.

The command line starts it as ``python -m chaos.soak``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.machine import machine
from chaos.findings import count_lines
from chaos.own_folder import in_own_folder
from chaos.soak.run import SoakPlan, require_space, soak_on
from fraudwatch.cli import entry_point, output
from fraudwatch.stack.private_stack import QUIET_SHOP, running

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command(epilog="Example: ./fraudwatch soak --minutes 120 --rate 500 --json")
def soak(
    minutes: Annotated[float, typer.Option(min=1, help="How long the load runs.")] = 120,
    rate: Annotated[int, typer.Option(min=1, max=5_000, help="Purchases a second.")] = 500,
    seed: Annotated[int, typer.Option(help="Determines the purchases.")] = 7,
    growth: Annotated[
        float, typer.Option(min=0, help="MiB an hour that no service's memory may grow by.")
    ] = 50,
    sample_seconds: Annotated[float, typer.Option(min=1, help="Time between two samples.")] = 60,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Run the stream for hours at a constant rate, then count losses and fit memory growth.

    It runs on a private stack in a temporary folder, never on yours. The exit code is 0 only if no
    purchase is lost, duplicated, scored twice differently or with other features, no service was
    restarted, and the memory of each grew by less than the bound with 95 % confidence. The first
    third is warm-up. A short run cannot tell slow growth from noise, and then fails.
    """
    if sample_seconds > 60 * minutes:
        raise typer.BadParameter("longer than --minutes, so nothing would be sampled")
    plan = SoakPlan(
        minutes=minutes,
        rate=rate,
        seed=seed,
        bound_mib_per_hour=growth,
        sample_seconds=sample_seconds,
    )
    report = in_own_folder("soak", lambda folder: _run(folder, plan))
    if as_json:
        output.print_json(report)
    else:
        _print_report(report)
    if not report["ok"]:
        raise typer.Exit(entry_point.FAILED)


def _run(folder: Path, plan: SoakPlan) -> dict[str, Any]:
    require_space(folder, plan)
    with running(folder, QUIET_SHOP, "speed") as stack:
        report = soak_on(stack, folder, plan, output.notify)
    return report | {"machine": machine(), "load_average": round(os.getloadavg()[0], 1)}


def _print_report(report: dict[str, Any]) -> None:
    output.notify(
        f"{report['accepted']} purchases acknowledged in {report['minutes']} minutes "
        f"({report['sent_per_second']}/s of {report['rate_per_second']}/s), "
        f"{report['verdicts']} verdicts"
    )
    for line in count_lines(report):
        output.notify(line)
    output.notify(f"restarted: {', '.join(report['restarted']) or 'none'}")
    output.notify(f"memory growth; the bound is {report['growth_bound_mib_per_hour']} MiB an hour:")
    for name, one in report["growth"].items():
        margin = one["margin_mib_per_hour"]
        spread = "unknown: too few readings" if margin is None else f"{margin}"
        output.notify(f"  {name}: {one['mib_per_hour']} ± {spread} MiB an hour, {one['verdict']}")
    output.notify(
        "ok: nothing lost, memory flat" if report["ok"] else "failed: see the figures above"
    )


if __name__ == "__main__":
    entry_point.run(app, "fraudwatch soak")
