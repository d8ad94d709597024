"""``fraudwatch evaluate``: compare stored verdicts with the labels of a replayed data set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from fraudwatch.adapters.artefacts.rate_file import BrokenRates, load_rates
from fraudwatch.adapters.datasets.labels import read_labelled_purchases
from fraudwatch.adapters.datasets.layout import UnreadableFile
from fraudwatch.adapters.datasets.mapping import WrongMapping, load_mapping
from fraudwatch.adapters.store.session import close, connect
from fraudwatch.adapters.store.verdict_scan import CassandraVerdictScan
from fraudwatch.application.evaluation.join import NothingToReport
from fraudwatch.application.evaluation.measure import report as measured
from fraudwatch.application.evaluation.ports import VerdictSource
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.cli import output
from fraudwatch.cli.evaluation_text import as_text
from fraudwatch.settings import CassandraSettings
from fraudwatch.stack import catalogue, env_file
from fraudwatch.stack.home import Home, StackError

USAGE_ERROR = 2
ROLE = "console"  # may read verdicts, and write none
DAY = "%Y-%m-%d"


def evaluate(
    labels: Annotated[Path, typer.Option(help="File that was replayed.")],
    mapping: Annotated[Path, typer.Option(help="Its mapping (YAML), with a label.")],
    from_: Annotated[
        datetime | None,
        typer.Option(
            "--from", formats=[DAY], metavar="YYYY-MM-DD", help="First day of purchases, UTC."
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=[DAY], metavar="YYYY-MM-DD", help="Day after the last one, UTC; exclusive."
        ),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Compare the stored verdicts on a replayed file with its labels; see docs/quality.md.

    Only this command reads the labels: neither the replay nor the detector does.
    """
    from_ms, until_ms = _midnight_ms(from_), _midnight_ms(until)
    if from_ms is not None and until_ms is not None and from_ms >= until_ms:
        raise typer.BadParameter("--from must be before --until, which is exclusive")
    home = Home.from_environment()
    try:
        meaning = load_mapping(mapping)
        rates = load_rates(home.rates_file, home.default_rates_file)
        output.notify(f"reading {labels.name} and its labels ...")
        truth = read_labelled_purchases(labels, meaning, rates, from_ms=from_ms, until_ms=until_ms)
        with open_store(home) as store:
            verdicts = store.of(truth.source)
        document = measured(truth, verdicts)
    except (WrongMapping, UnreadableFile) as error:
        output.notify(str(error))
        raise typer.Exit(USAGE_ERROR) from error
    except (NothingToReport, StoreUnavailable, BrokenRates) as error:
        raise StackError(str(error)) from error
    query = {"labels": str(labels), "from": _day(from_), "until": _day(until)}
    if as_json:
        output.print_json(query | document)
    else:
        for line in as_text(query | document):
            typer.echo(line)


@contextmanager
def open_store(home: Home) -> Iterator[VerdictSource]:
    """Open the verdicts in Cassandra, with progress on stderr while they are read.

    Raises:
        StackError: this home has no login for Cassandra.
        StoreUnavailable: Cassandra does not answer.
    """
    values = env_file.read(home) or {}
    password = values.get(f"CASSANDRA_{ROLE.upper()}_PASSWORD")
    if not password:
        raise StackError(
            f"{home.env_file} has no login for Cassandra, so no verdict can be read; start the"
            " platform first with ./fraudwatch up"
        )
    port = catalogue.load().port("cassandra", "cql", env_file.port_offset(values))
    settings = CassandraSettings.model_validate(
        {"port": port, "username": ROLE, "password": password}
    )
    session = connect(settings)
    try:
        with _progress() as progress:
            task = progress.add_task("verdicts", total=None, verdicts=0)

            def on_range(done: int, ranges: int, verdicts: int) -> None:
                progress.update(task, completed=done, total=ranges, verdicts=verdicts)

            yield CassandraVerdictScan(session, on_range)
    finally:
        close(session)


def _progress() -> Progress:
    found = TextColumn("{task.fields[verdicts]:,} verdicts read")
    left = (TimeRemainingColumn(), TextColumn("left"))
    return Progress(BarColumn(), found, *left, console=Console(stderr=True))


def _midnight_ms(day: datetime | None) -> int | None:
    return None if day is None else int(day.replace(tzinfo=UTC).timestamp()) * 1000


def _day(day: datetime | None) -> str | None:
    return None if day is None else day.date().isoformat()
