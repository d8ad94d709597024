"""``fraudwatch replay``: send a file of past purchases through ingest."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fraudwatch.adapters.datasets.files import DatasetFile, UnreadableFile, joined_path
from fraudwatch.adapters.datasets.ledger import Journal, Ledger, State, identity_of
from fraudwatch.adapters.datasets.mapping import WrongMapping, load_mapping
from fraudwatch.adapters.edge.ingest_client import IngestApi, IngestEndpoint
from fraudwatch.application.replay.pace import Pace
from fraudwatch.application.replay.ports import Ingest, ReplayFailed
from fraudwatch.application.replay.send import Replay, ReplayTally, as_sentence
from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.stack import catalogue, env_file
from fraudwatch.stack.home import Home, StackError

FAILED, USAGE_ERROR = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Arguments of the command line."""

    file: Path
    mapping: Path
    from_ms: int | None = None
    until_ms: int | None = None
    per_second: float | None = None
    repeat: bool = False
    skip_bad_rows: bool = False


class ReplayRun:
    """One replay with its ledger and progress; ``tally`` is correct however the replay ends."""

    def __init__(
        self,
        request: Request,
        home: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        console: Console | None = None,
    ) -> None:
        self.tally = ReplayTally()
        self.seconds = 0.0
        self._request = request
        self._clock = clock
        self._sleep = sleep
        self._console = console or Console(stderr=True)
        self._ledger = Ledger(home / "replay" / "ledger.jsonl")

    def perform(self, ingest: Ingest) -> None:
        """Replay the file, unless it was replayed before.

        Raises:
            WrongMapping: the mapping, or a column it names, is wrong.
            UnreadableFile: a file cannot be read.
            ReplayFailed: the file was replayed before, or the replay cannot continue.
        """
        request = self._request
        mapping = load_mapping(request.mapping)
        dataset = DatasetFile(
            request.file, mapping, from_ms=request.from_ms, until_ms=request.until_ms
        )
        files = joined_path(request.file, mapping)
        identity = identity_of(files, mapping, request.from_ms, request.until_ms)
        journal = Journal(self._ledger, identity, request.file.name, self._clock)
        if not request.repeat and (position := journal.position()):
            self._print(
                f"Continues an interrupted replay after its first {position} rows. What it sent"
                " beyond them is sent again and counted as repeated."
            )
            self.tally.position = position
        pace = Pace(request.per_second, clock=self._clock, sleep=self._sleep)
        replay = Replay(
            dataset, ingest, pace, sleep=self._sleep, skip_bad_rows=request.skip_bad_rows
        )
        replay.leave_out(dataset.rows_without_time, self.tally, "nothing was sent")
        if not dataset.count:
            raise ReplayFailed(f"nothing to replay: {_span(dataset)}")
        self._send(replay, dataset.count, journal)

    def _send(self, replay: Replay, rows: int, journal: Journal) -> None:
        journal.note("begun", self.tally.position)
        began = self._clock()
        state: State = "reached"
        with _progress(self._console) as progress:
            done = self.tally.position
            task = progress.add_task("replay", total=rows, completed=done, rate=0.0)

            def on_batch(tally: ReplayTally) -> None:
                self.seconds = self._clock() - began
                progress.update(task, completed=tally.position, rate=self._rate())
                journal.note_now_and_then(tally.position)

            try:
                replay.run(self.tally, on_batch)
                state = "finished"
            finally:
                self.seconds = self._clock() - began
                journal.note(state, self.tally.position)

    def _print(self, sentence: str) -> None:
        self._console.print(sentence, markup=False, highlight=False, soft_wrap=True)

    def print_summary(self) -> None:
        """Print how many purchases were sent, and why rows were skipped."""
        tally = self.tally
        self._print(
            f"{tally.sent} purchases sent in {self.seconds:.1f} s ({self._rate():.0f} a second):"
            f" {tally.accepted} accepted, {tally.repeated} repeated."
        )
        if tally.skipped:
            self._print(f"{tally.skipped} rows skipped, for example:\n{as_sentence(tally.reasons)}")

    def report(self) -> dict[str, Any]:
        """Return the summary for `--json`."""
        return {
            "file": str(self._request.file),
            "mapping": str(self._request.mapping),
            "rows_read": self.tally.rows_read,
            "sent": self.tally.sent,
            "accepted": self.tally.accepted,
            "repeated": self.tally.repeated,
            "from": _iso(self._request.from_ms),
            "until": _iso(self._request.until_ms),
            "seconds": round(self.seconds, 3),
            "rows_per_second": round(self._rate(), 1),
        }

    def _rate(self) -> float:
        return self.tally.sent / self.seconds if self.seconds else 0.0


def _progress(console: Console) -> Progress:
    speed = TextColumn("{task.fields[rate]:,.0f}/s")
    left = (TimeRemainingColumn(), TextColumn("left"))
    return Progress(BarColumn(), MofNCompleteColumn(), speed, *left, console=console)


def _iso(at_ms: int | None) -> str | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()


def _span(dataset: DatasetFile) -> str:
    if dataset.span_ms is None:
        return "the file has no purchase"
    first, last = dataset.span_ms
    return f"the file's purchases are between {_iso(first)} and {_iso(last)}"


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
    file: Annotated[Path, typer.Argument(help="CSV or Parquet file of purchases.")],
    mapping: Annotated[Path, typer.Option(help="How its columns become purchases (YAML).")],
    from_: Annotated[
        str | None, typer.Option("--from", help="First date or instant, UTC; inclusive.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Last one, UTC; exclusive.")] = None,
    rate: Annotated[float | None, typer.Option(help="Purchases a second, spread evenly.")] = None,
    *,
    as_fast_as_possible: Annotated[
        bool, typer.Option("--as-fast-as-possible", help="Without pauses; the default.")
    ] = False,
    repeat: Annotated[
        bool, typer.Option("--again", help="Replay even if the same was replayed here before.")
    ] = False,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Skip rows that make no valid purchase.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on standard output.")
    ] = False,
) -> None:
    """Replay a file of past purchases through the platform, in the order of their events."""
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
    run = ReplayRun(request, home.folder)
    code = _guarded(run, home)
    if as_json and code != USAGE_ERROR:
        typer.echo(json.dumps(run.report()))
    raise typer.Exit(code)


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
