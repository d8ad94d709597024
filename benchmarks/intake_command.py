"""Run ``fraudwatch benchmark intake``: time acknowledgements of purchases in batches and alone.

The command line starts it as ``python -m benchmarks.intake_command``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from benchmarks.intake_load import bodies, post_at
from benchmarks.machine import machine
from fraudwatch.cli import entry_point, output
from fraudwatch.stack.private_stack import QUIET_SHOP, PrivateStack, running

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
EXAMPLE = "Example: ./fraudwatch benchmark intake --rate 2000 --single-rate 100 --seconds 60 --json"
_WARM_UP_SECONDS: Final = 10


@app.command(epilog=EXAMPLE)
def intake(
    rate: Annotated[int, typer.Option(min=1, help="Purchases a second, in batches.")] = 2_000,
    batch: Annotated[int, typer.Option(min=1, max=1_000, help="Purchases a batch.")] = 100,
    single_rate: Annotated[int, typer.Option(min=1, help="Calls a second of one purchase.")] = 100,
    seconds: Annotated[int, typer.Option(min=5, help="How long each part is measured.")] = 60,
    profile: Annotated[
        str, typer.Option(help="What runs: door (ingest and broker alone), speed or lake.")
    ] = "door",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Time calls to their acknowledgement: purchases in batches, then one a call.

    Latency counts from the time a call was due. With the profile speed the stream scores them too.
    """
    folder = Path(tempfile.mkdtemp(prefix="fraudwatch-benchmark-"))
    output.notify(f"starting a private stack in {folder} ...")
    try:
        with running(folder, QUIET_SHOP, profile) as stack:
            parts = {
                "in batches": _measured(stack, rate / batch, batch, seconds),
                "one a call": _measured(stack, single_rate, 1, seconds),
            }
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report = {
        "profile": profile,
        "rate_per_second": rate,
        "batch": batch,
        "single_rate_per_second": single_rate,
        "seconds": seconds,
        "machine": machine(),
        "load_average": [round(value, 1) for value in os.getloadavg()],
        "parts": parts,
    }
    if as_json:
        output.print_json(report)
        return
    for name, part in parts.items():
        output.notify(f"{name}: {', '.join(f'{key} {value}' for key, value in part.items())}")


def _measured(
    stack: PrivateStack, calls_per_second: float, batch: int, seconds: int
) -> dict[str, Any]:
    def part(how_long_seconds: int) -> dict[str, Any]:
        sent = bodies(max(1, round(calls_per_second * how_long_seconds)), batch)
        with stack.http("ingest", "INGEST_API_KEY") as client:
            return post_at(client, sent, calls_per_second, batch)

    part(_WARM_UP_SECONDS)
    return part(seconds)


if __name__ == "__main__":
    entry_point.run(app, "fraudwatch benchmark intake")
