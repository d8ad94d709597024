"""Start chaos and the benchmarks as processes of the locked environment that has their packages.

The command line imports nothing of them. It replaces itself by theirs, so that options, output,
exit code and Ctrl-C are theirs as well.
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
from fraudwatch.stack.install import CONTROL
from fraudwatch.stack.place import Place

LAKE: Final = "lake"  # it has XGBoost, scikit-learn and pyarrow
# Options, --help among them, are read by the command that is started.
_PASS_ON: Final = {"ignore_unknown_options": True, "allow_extra_args": True}


@dataclass(frozen=True, slots=True)
class ExternalCommand:
    """One command: its name, its environment, its module and its line in the list of commands."""

    name: str
    environment: str
    module: str
    summary: str


CHAOS: Final = ExternalCommand(
    "chaos",
    CONTROL,
    "chaos",
    "Prove that nothing is lost: kill -9 the whole path in turn under traffic, then count.",
)
BENCHMARKS: Final = (
    ExternalCommand(
        "stream",
        CONTROL,
        "benchmarks.stream_command",
        "Time the stream: from the event to its verdict and its row, and off a backlog.",
    ),
    ExternalCommand(
        "batch",
        CONTROL,
        "benchmarks.batch_command",
        "Time a day of the batch layer, job by job, and what an archive run costs the stream.",
    ),
    ExternalCommand(
        "handbook",
        LAKE,
        "benchmarks.handbook_command",
        "Measure detection on the Fraud Detection Handbook's data, by its own protocol.",
    ),
    ExternalCommand(
        "sparkov",
        LAKE,
        "benchmarks.sparkov_command",
        "Measure on Sparkov's last two months what each way of ranking purchases finds.",
    ),
)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    benchmark = typer.Typer(
        no_args_is_help=True, help="Measure on a stack of its own, or on public data."
    )
    for command in BENCHMARKS:
        _add(benchmark, command)
    _add(app, CHAOS)
    app.add_typer(benchmark, name="benchmark")


def _add(app: typer.Typer, command: ExternalCommand) -> None:
    app.command(
        command.name, help=command.summary, context_settings=_PASS_ON, add_help_option=False
    )(_starter_of(command))


def _starter_of(command: ExternalCommand) -> Callable[[typer.Context], None]:
    def start(context: typer.Context) -> None:
        become(Place.from_environment(), command, context.args)

    return start


def become(place: Place, command: ExternalCommand, arguments: Sequence[str]) -> None:
    """Replace this process by the command's.

    A child process would need its signals passed on: one that is killed while Ctrl-C makes it stop
    its stack leaves the stack running.

    Raises:
        Unusable: the environment could not be installed.
    """
    python = str(python_of(place, command))
    sys.stdout.flush()
    # -P: a folder in which somebody works cannot shadow the module.
    os.execv(python, [python, "-P", "-m", command.module, *arguments])  # noqa: S606  no shell wanted


def python_of(place: Place, command: ExternalCommand) -> Path:
    """The interpreter of the command's environment, which is installed when it is missing."""
    if command.environment == CONTROL:
        return Path(sys.executable)  # the starter script made it, and this code runs in it
    return environments.ensure(place, command.environment, output.say) / "bin/python"
