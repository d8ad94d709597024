"""``fraudwatch replay``: send a file of past purchases through ingest."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from fraudwatch.adapters.datasets.layout import UnreadableFile
from fraudwatch.adapters.datasets.mapping import WrongMapping
from fraudwatch.adapters.edge.ingest_client import IngestApi, IngestEndpoint
from fraudwatch.application.replay.ports import ReplayFailed
from fraudwatch.cli import replay_check
from fraudwatch.cli.replay_run import ReplayRun, Request
from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.stack import catalogue, env_file
from fraudwatch.stack.home import Home, StackError

FAILED, USAGE_ERROR = 1, 2


def _instant_ms(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a date or instant such as 2020-01-31 or 2020-01-31T12:00:00Z"
        ) from None
    instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return epoch_ms_of(instant)


def _is_range(from_ms: int | None, until_ms: int | None) -> bool:
    return from_ms is None or until_ms is None or from_ms < until_ms


def _endpoint(home: Home) -> IngestEndpoint:
    values = env_file.read(home) or {}
    if not (key := values.get("INGEST_API_KEY")):
        raise ReplayFailed(
            f"{home.env_file} has no INGEST_API_KEY, so nothing can be sent; start the platform"
            " first with ./fraudwatch up"
        )
    port = catalogue.load().port("ingest", "http", env_file.port_offset(values))
    return IngestEndpoint(f"http://127.0.0.1:{port}", key)


def replay(  # noqa: PLR0913  a command line has as many options as it has
    file: Annotated[Path, typer.Argument(help="CSV, JSON or Parquet file.")],
    mapping: Annotated[Path, typer.Option(help="How its columns become purchases (YAML).")],
    from_: Annotated[
        str | None, typer.Option("--from", help="First date or instant, UTC; inclusive.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Last one, UTC; exclusive.")] = None,
    rate: Annotated[float | None, typer.Option(help="Purchases a second, spread evenly.")] = None,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Show what the first rows become, and send nothing.")
    ] = False,
    rows: Annotated[int, typer.Option(min=1, max=50_000, help="Rows that --check reads.")] = 1000,
    as_fast_as_possible: Annotated[
        bool, typer.Option("--as-fast-as-possible", help="Without pauses; the default.")
    ] = False,
    repeat: Annotated[
        bool, typer.Option("--again", help="Replay even if the same was replayed here before.")
    ] = False,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Skip rows that make no purchase or refund.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on standard output.")
    ] = False,
) -> None:
    """Replay a file of past purchases and refunds, in the order of their events."""
    if rate is not None and (as_fast_as_possible or not rate > 0):
        raise typer.BadParameter("--rate must be above 0, and without --as-fast-as-possible")
    request = Request(
        file=file,
        mapping=mapping,
        from_ms=_instant_ms(from_),
        until_ms=_instant_ms(until),
        per_second=rate,
        repeat=repeat,
        skip_bad_rows=skip_bad_rows,
    )
    if not _is_range(request.from_ms, request.until_ms):
        raise typer.BadParameter("--from must be before --until")
    home = Home.from_environment()
    if check:
        raise typer.Exit(_check(request, home, rows, as_json=as_json))
    run = ReplayRun(request, home.folder)
    code = _guarded(run, home)
    if as_json and code != USAGE_ERROR:
        typer.echo(json.dumps(run.report()))
    raise typer.Exit(code)


def _check(request: Request, home: Home, rows: int, *, as_json: bool) -> int:
    try:
        found = replay_check.checked(request, home.folder, rows)
    except (WrongMapping, UnreadableFile) as error:
        typer.echo(str(error), err=True)
        return USAGE_ERROR
    if as_json:
        typer.echo(json.dumps(found.document()))
    else:
        replay_check.print_check(found)
    return found.code


def _guarded(run: ReplayRun, home: Home) -> int:
    code = FAILED
    try:
        with IngestApi(_endpoint(home)) as ingest:
            run.perform(ingest)
        code = 0
    except (WrongMapping, UnreadableFile) as error:
        typer.echo(str(error), err=True)
        return USAGE_ERROR
    except (ReplayFailed, StackError) as error:
        typer.echo(str(error), err=True)
    except KeyboardInterrupt:
        typer.echo("Interrupted; run the same command without --again to continue.", err=True)
    run.print_summary()
    return code
