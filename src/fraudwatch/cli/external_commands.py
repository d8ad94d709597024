"""Start chaos runs, benchmarks and drawings in the locked environment that has their packages.

The command line imports nothing of them. It replaces its own process by theirs, so that options,
output, exit code and Ctrl-C are theirs as well.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from fraudwatch.cli import output
from fraudwatch.stack import environments
from fraudwatch.stack.home import Home
from fraudwatch.stack.install import CONTROL

LAKE: Final = "lake"  # has XGBoost, scikit-learn and pyarrow
MONITORING: Final = "monitoring"  # has Matplotlib and HTTPX
# Options, including --help, are parsed by the started command.
_PASS_THROUGH: Final = {"ignore_unknown_options": True, "allow_extra_args": True}


@dataclass(frozen=True, slots=True)
class ExternalCommand:
    """An external command: name, environment, module, and its line in the list of commands."""

    name: str
    environment: str
    module: str
    summary: str


CHAOS: Final = ExternalCommand(
    "chaos",
    CONTROL,
    "chaos",
    "Kill -9 each service under traffic, then count lost and duplicated verdicts.",
)
SOAK: Final = ExternalCommand(
    "soak",
    CONTROL,
    "chaos.soak",
    "Run the stream for hours at a constant rate, then count losses and fit memory growth.",
)
DASHBOARDS: Final = ExternalCommand(
    "dashboards",
    MONITORING,
    "exporters.render_dashboards",
    "Draw the charts of Grafana's dashboards as pictures, where no Grafana can be had.",
)
BENCHMARKS: Final = (
    ExternalCommand(
        "stream",
        CONTROL,
        "benchmarks.stream_command",
        "Time the stream: latency from event to verdict and row, and throughput on a backlog.",
    ),
    ExternalCommand(
        "answers",
        CONTROL,
        "benchmarks.answers_command",
        "Time ingest's answers: without a wait, with one, and to repeated purchases.",
    ),
    ExternalCommand(
        "intake",
        CONTROL,
        "benchmarks.intake_command",
        "Time ingest's acknowledgements of batches and single purchases, door and broker alone.",
    ),
    ExternalCommand(
        "scrape",
        CONTROL,
        "benchmarks.scrape_command",
        "Measure what scraping the metrics costs: p99 and processor time with and without.",
    ),
    ExternalCommand(
        "api",
        CONTROL,
        "benchmarks.api_command",
        "Time reads of the REST API at a rate, beside the running stream.",
    ),
    ExternalCommand(
        "batch",
        CONTROL,
        "benchmarks.batch_command",
        "Time a day of the batch layer, job by job, and how an archive run slows the stream.",
    ),
    ExternalCommand(
        "handbook",
        LAKE,
        "benchmarks.handbook_command",
        "Measure detection and final verdicts on the Fraud Detection Handbook's data.",
    ),
    ExternalCommand(
        "sparkov",
        LAKE,
        "benchmarks.sparkov_command",
        "Measure final verdicts, and each ranking alone, on the last months of the Sparkov data.",
    ),
    ExternalCommand(
        "shop",
        LAKE,
        "benchmarks.shop_command",
        "Count honest customers declined in a month of the simulated shop, and what rules earn.",
    ),
)


def add_to(app: typer.Typer) -> None:
    """Add the external commands to the command line."""
    benchmark = typer.Typer(
        no_args_is_help=True, help="Measure speed on a private stack, or detection on labels."
    )
    for command in BENCHMARKS:
        _add(benchmark, command)
    _add(app, CHAOS)
    _add(app, SOAK)
    _add(app, DASHBOARDS)
    app.add_typer(benchmark, name="benchmark")


def _add(app: typer.Typer, command: ExternalCommand) -> None:
    app.command(
        command.name, help=command.summary, context_settings=_PASS_THROUGH, add_help_option=False
    )(_starter_of(command))


def _starter_of(command: ExternalCommand) -> Callable[[typer.Context], None]:
    def start(context: typer.Context) -> None:
        replace_process(Home.from_environment(), command, context.args)

    return start


def replace_process(home: Home, command: ExternalCommand, arguments: Sequence[str]) -> None:
    """Replace this process by the command's.

    A child process would need its signals forwarded: if it is killed while it stops its stack after
    Ctrl-C, the stack keeps running.

    Raises:
        StackError: the environment could not be installed.
    """
    python = str(python_of(home, command))
    sys.stdout.flush()
    # -P: the current folder cannot shadow the module.
    os.execv(python, [python, "-P", "-m", command.module, *arguments])  # noqa: S606  no shell wanted


def python_of(home: Home, command: ExternalCommand) -> Path:
    """Return the interpreter of the command's environment; install the environment if missing."""
    if command.environment == CONTROL:
        return Path(sys.executable)  # this code already runs in it
    return environments.ensure(home, command.environment, output.notify) / "bin/python"
