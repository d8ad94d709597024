"""Run ``fraudwatch benchmark scrape``: measure what scraping the metrics costs the stream.

The command line starts it as ``python -m benchmarks.scrape_command``.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.machine import machine
from benchmarks.scrape_load import scraping
from benchmarks.stream_benchmark import StreamBenchmark
from fraudwatch.cli import entry_point, output
from fraudwatch.stack import catalogue, supervisor
from fraudwatch.stack.private_stack import QUIET_SHOP, PrivateStack, running

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
EXAMPLE = "Example: ./fraudwatch benchmark scrape --rate 1000 --seconds 120 --every 5 --json"
PROFILE = "speed"
PROMETHEUS = "prometheus"


@app.command(epilog=EXAMPLE)
def scrape(
    rate: Annotated[int, typer.Option(min=1, max=20_000, help="Purchases a second.")] = 1_000,
    seconds: Annotated[int, typer.Option(min=10, help="How long each part is measured.")] = 120,
    every: Annotated[float, typer.Option(min=0.5, help="Seconds between two scrapes.")] = 5.0,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Measure the cost of scraping: the stream without, with, and again without it.

    Every page of metrics of a private stack is scraped as Prometheus does. The two parts without
    show how far the machine alone moves the figures; each part begins with three minutes of
    warm-up. A Prometheus of the stack's own is held meanwhile.
    """
    folder = Path(tempfile.mkdtemp(prefix="fraudwatch-benchmark-"))
    output.notify(f"starting a private stack in {folder} ...")
    try:
        with running(folder, QUIET_SHOP, PROFILE) as stack, _prometheus_paused(stack):
            benchmark = StreamBenchmark(stack, output.notify, samples_triggers=False)
            before = benchmark.live(rate, seconds)
            with scraping(pages_of(stack), every) as cost:
                during = benchmark.live(rate, seconds)
            after = benchmark.live(rate, seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report = {
        "rate_per_second": rate,
        "every_seconds": every,
        "machine": machine(),
        **cost.report(),
        **cost_of(before, during, after),
    }
    if as_json:
        output.print_json(report)
    else:
        _print_report(report)


def pages_of(stack: PrivateStack) -> dict[str, str]:
    """Return the URL of every page of metrics that the running services have, by service."""
    services = catalogue.load().services
    return {
        f"{name}_{port}": f"http://127.0.0.1:{stack.port(name, port)}/metrics"
        for name in supervisor.processes(stack.home)
        if name != PROMETHEUS
        for port in services[name].scraped_ports()
    }


def cost_of(
    before: dict[str, Any], during: dict[str, Any], after: dict[str, Any]
) -> dict[str, dict[str, float]]:
    """Compare p99 and cores of the services with the mean of the parts without scraping."""
    figures = {
        "event_to_verdict_p99_ms": [
            part["event_to_verdict_ms"]["p99"] for part in (before, during, after)
        ],
        "event_to_row_p99_ms": [part["event_to_row_ms"]["p99"] for part in (before, during, after)],
        "cores": [_cores(part) for part in (before, during, after)],
    }
    return {name: _compared(*values) for name, values in figures.items()}


def _compared(before: float, during: float, after: float) -> dict[str, float]:
    without = (before + after) / 2
    return {
        "without": round(without, 3),
        "without_spread": round(abs(after - before), 3),
        "with": round(during, 3),
        "cost": round(during - without, 3),
        "cost_ratio": round(during / without - 1, 4),
    }


def _cores(part: dict[str, Any]) -> float:
    return float(sum(use["cpu_cores"] for use in part["processes"].values()))


@contextmanager
def _prometheus_paused(stack: PrivateStack) -> Iterator[None]:
    """Hold the stack's own Prometheus, if it runs one: its scrapes would be in every part."""
    found = supervisor.processes(stack.home).get(PROMETHEUS)
    if found is None or found.pid <= 1:
        yield
        return
    os.killpg(found.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(found.pid, signal.SIGCONT)


def _print_report(report: dict[str, Any]) -> None:
    for name, page in report["pages"].items():
        output.notify(f"{name}: {', '.join(f'{key} {value}' for key, value in page.items())}")
    output.notify(f"failed scrapes: {report['failures']}")
    for name in ("event_to_verdict_p99_ms", "event_to_row_p99_ms", "cores"):
        compared = ", ".join(f"{key} {value}" for key, value in report[name].items())
        output.notify(f"{name}: {compared}")


if __name__ == "__main__":
    entry_point.run(app, "fraudwatch benchmark scrape")
