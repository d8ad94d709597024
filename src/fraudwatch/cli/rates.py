"""``fraudwatch rates``: replace the demo's exchange rates by those of the European Central Bank."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from fraudwatch.adapters.artefacts.ecb_history import (
    URL,
    HistoryUnavailable,
    UnreadableHistory,
    download,
    parse_history,
)
from fraudwatch.adapters.artefacts.rate_file import BrokenRates, encode_rows, read_rows
from fraudwatch.adapters.durable_file import lock_file, replace_file
from fraudwatch.application.rates_update import ImplausibleRates, RatesUpdate, update_rates
from fraudwatch.cli import output
from fraudwatch.domain.rate_history import PublishedHistory
from fraudwatch.stack.home import Home, StackError

USAGE_ERROR = 2

rates = typer.Typer(
    no_args_is_help=True, help="Convert by the European Central Bank's exchange rates."
)


@rates.callback()
def _rates() -> None:
    """Convert by the European Central Bank's exchange rates; see docs/operations.md."""


@rates.command(epilog="Example: ./fraudwatch rates fetch --file ~/Downloads/eurofxref-hist.zip")
def fetch(
    file: Annotated[
        Path | None, typer.Option(help="Archive or CSV that was downloaded by hand.")
    ] = None,
    url: Annotated[str, typer.Option(help="Where to download it from.")] = URL,
    accept: Annotated[
        list[str] | None,
        typer.Option(metavar="CURRENCY", help="May change by more than a factor of 2; repeatable."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,  # noqa: FBT002
) -> None:
    """Download the bank's reference rates since 1999, check them and put them into the home.

    Nothing is converted again: purchases of before keep their amounts, rates and verdicts.
    """
    home = Home.from_environment()
    home.make_folders()
    try:
        history = _history(file, url)
        update, is_changed = _update(home, history, accept or [])
    except (UnreadableHistory, ImplausibleRates) as error:
        what = file or url
        output.notify(f"{what} is not used, and the rates stay as they are: {error}")
        raise typer.Exit(USAGE_ERROR) from error
    except HistoryUnavailable as error:
        raise StackError(
            f"{error}, so the rates stay as they are; download {URL} where the network allows, "
            "then ./fraudwatch rates fetch --file eurofxref-hist.zip"
        ) from error
    except BrokenRates as error:
        raise StackError(f"{error}; correct or remove that file, then fetch again") from error
    if as_json:
        output.print_json(_document(home, update, is_changed=is_changed))
        return
    for line in _lines(home, update, is_changed=is_changed):
        typer.echo(line)


def _history(file: Path | None, url: str) -> PublishedHistory:
    if file is None:
        output.notify(f"downloading {url} ...")
        content = download(url)
    else:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise UnreadableHistory(f"it cannot be read: {error}") from error
    return parse_history(content, datetime.now(UTC).date())


def _update(home: Home, history: PublishedHistory, accepted: list[str]) -> tuple[RatesUpdate, bool]:
    path = home.rates_file
    with lock_file(path):
        before = path.read_bytes() if path.exists() else None
        current = read_rows(home.default_rates_file if before is None else path)
        update = update_rates(current, history, accepted)
        content = encode_rows(update.rows)
        if content != before:
            replace_file(path, content)
    return update, content != before


def _lines(home: Home, update: RatesUpdate, *, is_changed: bool) -> Iterator[str]:
    yield (
        f"{update.rates:,} rates of {update.currencies} currencies from {update.first_day} to "
        f"{update.newest_day}: {update.added:,} new, {update.corrected:,} corrected"
    )
    for one in update.replaced:
        yield (
            f"{one.currency} on {update.newest_day}: {one.units_after} instead of "
            f"{one.units_before} (source {one.source_before})"
        )
    for currency, day in update.ended.items():
        yield f"{currency}: no rate from {day} on; later purchases are refused as missing_rate"
    for currency, sources in update.kept.items():
        yield f"{currency}: not in the bank's table, kept (source {', '.join(sources)})"
    if not is_changed:
        yield f"{home.rates_file} has them already; nothing changed"
        return
    yield f"written to {home.rates_file}"
    yield (
        "Ingest converts by them after ./fraudwatch down and up, the daily extract from its next "
        "run on. Purchases of before keep their amounts and verdicts."
    )


def _document(home: Home, update: RatesUpdate, *, is_changed: bool) -> dict[str, Any]:
    document = asdict(update) | {"path": str(home.rates_file), "is_changed": is_changed}
    del document["rows"]
    return document
