"""Run ``fraudwatch benchmark batch``: time a day of the batch layer with all services running.

The command line starts it as ``python -m benchmarks.batch_command``.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.batch_benchmark import BatchBenchmark, shop_settings
from benchmarks.batch_figures import StepFailed
from benchmarks.machine import machine
from fraudwatch.cli import entry_point, output
from fraudwatch.stack.home import StackError
from fraudwatch.stack.private_stack import QUIET_SHOP, running

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command(epilog="Example: ./fraudwatch benchmark batch --purchases 1000000 --json")
def batch(
    purchases: Annotated[int, typer.Option(min=1_000, help="Purchases of the day.")] = 1_000_000,
    rate: Annotated[int, typer.Option(min=1, help="Purchases a second beside the jobs.")] = 200,
    seconds: Annotated[int, typer.Option(min=10, help="How long that rate is measured.")] = 120,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Time a day of the batch layer, job by job, and the stream beside archive runs.

    A job's time includes its start. Afterwards the stream is measured twice: alone, and while
    archive runs follow each other.
    """
    folder = Path(tempfile.mkdtemp(prefix="fraudwatch-benchmark-"))
    output.notify(f"starting a private stack in {folder} ...")
    shop = QUIET_SHOP | shop_settings(purchases, datetime.now(UTC).date())
    try:
        with running(folder, shop, "lake") as stack:
            report = BatchBenchmark(stack, output.notify).run(purchases, rate, seconds)
            report["machine"] = machine()
    except StepFailed as failed:
        raise StackError(str(failed)) from failed
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        output.print_json(report)
        return
    for name in ("seconds", "purchases_per_second", "peak_rss_mib", "fold", "stream", "machine"):
        output.notify(f"{name}: {report[name]}")


if __name__ == "__main__":
    entry_point.run(app, "fraudwatch benchmark batch")
