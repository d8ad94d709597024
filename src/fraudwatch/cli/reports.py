"""``fraudwatch reports``: read the lake's nightly reports (marts) from the Thrift Server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.table import Table

from fraudwatch.adapters.lake.mart_reader import HiveReports
from fraudwatch.application.marts import MartsUnavailable, ReportQuery, ReportReader, UnknownReport
from fraudwatch.cli import output
from fraudwatch.lake import REPORT_DAYS
from fraudwatch.settings import HiveSettings
from fraudwatch.stack import catalogue, env_file
from fraudwatch.stack.home import Home, StackError

DAY = "%Y-%m-%d"
EXAMPLE = "Example: ./fraudwatch reports show out_money --from 2026-11-01 --until 2026-11-20"
PASSWORD = "HIVE_REPORTS_PASSWORD"  # noqa: S105  the setting's name

reports = typer.Typer(
    no_args_is_help=True, help="Read the lake's nightly reports; see docs/reports.md."
)
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")]


def reader(home: Home) -> ReportReader:
    """Open the report reader of a home's Thrift Server.

    Raises:
        StackError: this home has no login for it.
    """
    values = env_file.read(home) or {}
    services = catalogue.load()
    if not values.get(PASSWORD) or "thrift_server" not in services.services:
        raise StackError(
            f"{home.env_file} has no login for the lake, so no report can be read; start the "
            "platform first with ./fraudwatch up --profile lake"
        )
    port = services.port("thrift_server", "thrift", env_file.port_offset(values))
    try:
        found = HiveSettings.model_validate(
            {"port": port, "username": "reports", "password": values[PASSWORD]}
        )
    except ValidationError as error:
        raise StackError(
            f"{PASSWORD} in {home.env_file} is weak; remove its line and restart"
        ) from error
    return HiveReports.of(found)


@reports.command("ls", epilog="Example: ./fraudwatch reports ls")
def list_reports(as_json: Json = False) -> None:  # noqa: FBT002  an option
    """List the reports, each with the column of a row's day."""
    if as_json:
        output.print_json({"reports": dict(REPORT_DAYS)})
        return
    for table, column in REPORT_DAYS.items():
        typer.echo(f"{table:<24} by {column}")


@reports.command(epilog=EXAMPLE)
def show(
    table: Annotated[str, typer.Argument(help="Report name as shown by ls.")],
    from_: Annotated[
        datetime | None,
        typer.Option("--from", formats=[DAY], metavar="YYYY-MM-DD", help="First day, UTC."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=[DAY], metavar="YYYY-MM-DD", help="Last day, UTC, inclusive."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Maximum number of rows.")] = 100,
    *,
    as_json: Json = False,
) -> None:
    """Show rows of a report, newest day first. Unknown values are empty (--json: null)."""
    try:
        query = ReportQuery(table, _day(from_), _day(until), limit)
    except (UnknownReport, ValueError) as error:
        raise typer.BadParameter(str(error)) from error
    try:
        found = reader(Home.from_environment()).rows(query)
    except MartsUnavailable as error:
        raise StackError(str(error)) from error
    if as_json:
        rows = [dict(zip(found.columns, map(_plain, row), strict=True)) for row in found.rows]
        output.print_json({"report": table, "rows": rows})
    else:
        output.results.print(_readable(found.columns, found.rows))


def _readable(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """Format rows as a table, or as one block a row if the terminal is too narrow."""
    texts = [["" if value is None else str(_plain(value)) for value in row] for row in rows]
    as_table = Table(*columns, box=None, pad_edge=False)
    for row in texts:
        as_table.add_row(*row)
    if _fits(columns, texts):
        return as_table
    blocks = Table(box=None, pad_edge=False, show_header=False)
    for row in texts:
        for column, text in zip(columns, row, strict=True):
            blocks.add_row(column, text)
        blocks.add_row("", "")
    return blocks


def _fits(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    widest = [max(map(len, values)) for values in zip(columns, *rows, strict=True)]
    return sum(widest) + 2 * len(widest) <= output.results.width


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _day(given: datetime | None) -> date | None:
    return None if given is None else given.replace(tzinfo=UTC).date()
