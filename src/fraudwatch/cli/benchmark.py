"""``fraudwatch benchmark``: how fast it is, on this machine, with everything running."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from fraudwatch.cli import output
from fraudwatch.cli.handbook import handbook
from fraudwatch.cli.sparkov import sparkov
from fraudwatch.proof.batch_benchmark import BatchBenchmark, world_of
from fraudwatch.proof.batch_figures import StepFailed
from fraudwatch.proof.benchmark import Benchmark
from fraudwatch.proof.process_use import machine
from fraudwatch.stack.place import Unusable
from fraudwatch.stack.private_stack import QUIET_SHOP, running

benchmark = typer.Typer(no_args_is_help=True, help="Measure on a stack of its own.")
EXAMPLE = "Example: ./fraudwatch benchmark stream --rate 1000 --seconds 120 --json"
benchmark.command(epilog="Example: ./fraudwatch benchmark handbook transactions.parquet --json")(
    handbook
)
benchmark.command(epilog="Example: ./fraudwatch benchmark sparkov --json")(sparkov)


@benchmark.command(epilog=EXAMPLE)
def stream(
    rate: Annotated[int, typer.Option(min=1, max=20_000, help="Purchases a second.")] = 1_000,
    seconds: Annotated[int, typer.Option(min=10, help="How long the rate is measured.")] = 120,
    backlog: Annotated[int, typer.Option(min=1_000, help="Purchases to catch up on.")] = 500_000,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Time the stream: from the event to its verdict and its row, and off a backlog.

    Latency counts from the instant a purchase was due, so a sender or a stream that falls behind
    hides nothing.
    """
    folder = Path(tempfile.mkdtemp(prefix="fraudwatch-benchmark-"))
    output.say(f"starting a stack of its own in {folder} ...")
    try:
        with running(folder, QUIET_SHOP, "speed") as stack:
            measured = Benchmark(stack, output.say)
            report = {
                "rate_per_second": rate,
                "seconds": seconds,
                "backlog": backlog,
                "machine": machine(),
                **measured.live(rate, seconds),
                **measured.catch_up(backlog),
            }
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        output.print_json(report)
    else:
        _tell(report)


@benchmark.command(epilog="Example: ./fraudwatch benchmark batch --purchases 1000000 --json")
def batch(
    purchases: Annotated[int, typer.Option(min=1_000, help="Purchases of the day.")] = 1_000_000,
    rate: Annotated[int, typer.Option(min=1, help="Purchases a second beside the jobs.")] = 200,
    seconds: Annotated[int, typer.Option(min=10, help="How long that rate is measured.")] = 120,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Time a day of the batch layer, job by job, and what an archive run costs the stream.

    Every job is timed with its start. Afterwards the stream is measured twice: alone, and while
    one archive run follows the other.
    """
    folder = Path(tempfile.mkdtemp(prefix="fraudwatch-benchmark-"))
    output.say(f"starting a stack of its own in {folder} ...")
    shop = QUIET_SHOP | world_of(purchases, datetime.now(UTC).date())
    try:
        with running(folder, shop, "lake") as stack:
            report = BatchBenchmark(stack, output.say).run(purchases, rate, seconds)
            report["machine"] = machine()
    except StepFailed as failed:
        raise Unusable(str(failed)) from failed
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        output.print_json(report)
        return
    for name in ("seconds", "purchases_per_second", "peak_rss_mib", "fold", "stream", "machine"):
        output.say(f"{name}: {report[name]}")


def _tell(report: dict[str, Any]) -> None:
    for name in ("event_to_verdict_ms", "event_to_row_ms", "batch_ms", "trigger_ms", "machine"):
        told = ", ".join(f"{key} {value}" for key, value in report[name].items())
        output.say(f"{name}: {told}")
    for name, use in report["processes"].items():
        output.say(f"{name}: {use['cpu_cores']} cores, {use['rss_mib']} MiB")
    for name in ("catch_up_per_second", "persisted_per_second", "load_average"):
        output.say(f"{name}: {report[name]}")


@benchmark.callback()
def _measure() -> None:
    """Measure on a stack of its own, never on yours."""
