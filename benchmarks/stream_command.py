"""Run ``fraudwatch benchmark stream``: measure the stream's latency and throughput.

The command line starts it as ``python -m benchmarks.stream_command``.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.machine import machine
from benchmarks.stream_benchmark import StreamBenchmark
from fraudwatch.cli import entry_point, output
from fraudwatch.stack import supervisor
from fraudwatch.stack.home import Home
from fraudwatch.stack.private_stack import QUIET_SHOP, running

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
ALONE = frozenset({"kafka", "detector"})
EXAMPLE = "Example: ./fraudwatch benchmark stream --rate 1000 --seconds 120 --json"


@app.command(epilog=EXAMPLE)
def stream(
    rate: Annotated[int, typer.Option(min=1, max=20_000, help="Purchases a second.")] = 1_000,
    seconds: Annotated[int, typer.Option(min=10, help="How long the rate is measured.")] = 120,
    backlog: Annotated[int, typer.Option(min=1_000, help="Purchases to catch up on.")] = 500_000,
    *,
    alone: Annotated[
        bool, typer.Option("--alone", help="Stop everything but Kafka, detector and the load.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Time the stream: from the event to its verdict and its row, and catching up on a backlog.

    Latency counts from the time a purchase was due, so delays of the sender are included.
    """
    folder = Path(tempfile.mkdtemp(prefix="fraudwatch-benchmark-"))
    output.notify(f"starting a private stack in {folder} ...")
    try:
        with running(folder, QUIET_SHOP, "speed") as stack:
            if alone:
                _stop_all_but(stack.home, ALONE)
            benchmark = StreamBenchmark(stack, output.notify, has_rows=not alone)
            report = {
                "rate_per_second": rate,
                "seconds": seconds,
                "backlog": backlog,
                "services": _running(stack.home),
                "machine": machine(),
                **benchmark.live(rate, seconds),
                **benchmark.catch_up(backlog),
            }
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        output.print_json(report)
    else:
        _print_report(report)


def _running(home: Home) -> list[str]:
    return sorted(name for name, one in supervisor.processes(home).items() if one.pid > 0)


def _stop_all_but(home: Home, kept: frozenset[str]) -> None:
    # The watchdog first: it would start the others again.
    for name in sorted(_running(home), key=lambda name: name != "watchdog"):
        if name not in kept:
            supervisor.call(home, "stopProcess", name)


def _print_report(report: dict[str, Any]) -> None:
    output.notify(f"services: {', '.join(report['services'])}")
    for name in ("event_to_verdict_ms", "event_to_row_ms", "batch_ms", "trigger_ms", "machine"):
        if name not in report:
            continue
        figures = ", ".join(f"{key} {value}" for key, value in report[name].items())
        output.notify(f"{name}: {figures}")
    for name, use in report["processes"].items():
        output.notify(f"{name}: {use['cpu_cores']} cores, {use['rss_mib']} MiB")
    for name in ("catch_up_per_second", "persisted_per_second", "load_average"):
        if name in report:
            output.notify(f"{name}: {report[name]}")


if __name__ == "__main__":
    entry_point.run(app, "fraudwatch benchmark stream")
