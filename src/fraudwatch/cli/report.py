"""``fraudwatch report``: how good the verdicts were that were given, held against known truth."""

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
from fraudwatch.adapters.datasets.files import UnreadableFile
from fraudwatch.adapters.datasets.labels import read_labelled_purchases
from fraudwatch.adapters.datasets.mapping import WrongMapping, load_mapping
from fraudwatch.adapters.store.session import close, connect
from fraudwatch.adapters.store.verdict_scan import CassandraVerdictScan
from fraudwatch.application.evaluation.join import NothingToReport
from fraudwatch.application.evaluation.measure import report as measured
from fraudwatch.application.evaluation.ports import VerdictSource
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.cli import output
from fraudwatch.cli.report_text import as_text
from fraudwatch.settings import CassandraSettings
from fraudwatch.stack import catalogue, env_file
from fraudwatch.stack.place import Place, Unusable

WRONG_USE = 2
ROLE = "console"  # the one that may read verdicts and write nothing
DAY = "%Y-%m-%d"
RATES = Path("contracts/rates/eur.csv")


def report(
    labels: Annotated[Path, typer.Option(help="CSV or Parquet file that was replayed.")],
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
    """Hold the stored verdicts on a replayed file against its labels; docs/quality.md explains.

    The labels are read here and nowhere else: no replay and no detector sees them.
    """
    from_ms, until_ms = _midnight_ms(from_), _midnight_ms(until)
    if from_ms is not None and until_ms is not None and from_ms >= until_ms:
        raise typer.BadParameter("--from must lie before --until, which is exclusive")
    place = Place.from_environment()
    try:
        meaning = load_mapping(mapping)
        rates = load_rates(place.root / RATES)
        output.say(f"reading {labels.name} and its labels ...")
        truth = read_labelled_purchases(labels, meaning, rates, from_ms=from_ms, until_ms=until_ms)
        with opened_store(place) as store:
            verdicts = store.of(truth.source)
        document = measured(truth, verdicts)
    except (WrongMapping, UnreadableFile) as wrong:
        output.say(str(wrong))
        raise typer.Exit(WRONG_USE) from wrong
    except (NothingToReport, StoreUnavailable, BrokenRates) as failed:
        raise Unusable(str(failed)) from failed
    asked = {"labels": str(labels), "from": _day(from_), "until": _day(until)}
    if as_json:
        output.print_json(asked | document)
    else:
        for line in as_text(asked | document):
            typer.echo(line)


@contextmanager
def opened_store(place: Place) -> Iterator[VerdictSource]:
    """The system of record, with progress on stderr while it is read.

    Raises:
        Unusable: this home has no login for it.
        StoreUnavailable: it does not answer.
    """
    values = env_file.read(place) or {}
    password = values.get(f"CASSANDRA_{ROLE.upper()}_PASSWORD")
    if not password:
        raise Unusable(
            f"{place.env_file} holds no login for Cassandra, so no verdict can be read; start the"
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
