"""One replay of a file: its ledger, its progress and its summary."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fraudwatch.adapters.datasets.files import DatasetFile
from fraudwatch.adapters.datasets.joined_file import joined_path
from fraudwatch.adapters.datasets.ledger import Journal, Ledger, State, identity_of
from fraudwatch.adapters.datasets.mapping import load_mapping
from fraudwatch.adapters.newest_events_file import NewestEventsFile
from fraudwatch.application.replay.pace import Pace
from fraudwatch.application.replay.ports import Ingest, ReplayFailed
from fraudwatch.application.replay.send import Replay, ReplayTally, as_sentence
from fraudwatch.cli.replay_text import iso, span, too_late_sentence


def ledger_of(home: Path) -> Ledger:
    """Return the ledger of replays into a home."""
    return Ledger(home / "replay" / "ledger.jsonl")


def newest_accepted(home: Path) -> dict[str, int]:
    """Return the newest event time that ingest of this home has accepted, by source."""
    return NewestEventsFile(home / "ingest").read()


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
        self._dataset: DatasetFile | None = None
        self._request = request
        self._clock = clock
        self._sleep = sleep
        self._console = console or Console(stderr=True)
        self._home, self._ledger = home, ledger_of(home)

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
        journal = Journal(self._ledger, identity, request.file, mapping, self._clock)
        journal.newest_ms = dataset.newest_ms
        self._dataset = dataset
        if not request.repeat and (position := journal.position()):
            self._print(
                f"Continues an interrupted replay after its first {position} rows. What it sent"
                " beyond them is sent again and counted as repeated."
            )
            self.tally.position = position
        for warning in dataset.warnings:
            self._print(warning)
        if late := too_late_sentence(dataset, journal.newest_other_ms(newest_accepted(self._home))):
            self._print(late)
        pace = Pace(request.per_second, clock=self._clock, sleep=self._sleep)
        replay = Replay(
            dataset, ingest, pace, sleep=self._sleep, skip_bad_rows=request.skip_bad_rows
        )
        replay.leave_out(dataset.rows_without_time, self.tally, "nothing was sent")
        if not dataset.count:
            raise ReplayFailed(f"nothing to replay: {span(dataset)}")
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
        if self._dataset is not None and self._dataset.refund_count:
            refunds = tally.refunds
            self._print(
                f"{refunds.sent} refunds sent: {refunds.accepted} accepted,"
                f" {refunds.repeated} repeated."
            )
        if tally.skipped:
            self._print(f"{tally.skipped} rows skipped, for example:\n{as_sentence(tally.reasons)}")
        for name, rows in self._dataset.made_absent.items() if self._dataset else ():
            if rows:
                self._print(f"{name} was invalid in {rows} rows, and so sent as absent.")

    def report(self) -> dict[str, Any]:
        """Return the summary for `--json`."""
        return {
            "file": str(self._request.file),
            "mapping": str(self._request.mapping),
            "rows_read": self.tally.rows_read,
            "sent": self.tally.sent,
            "accepted": self.tally.accepted,
            "repeated": self.tally.repeated,
            "refunds": asdict(self.tally.refunds),
            "from": iso(self._request.from_ms),
            "until": iso(self._request.until_ms),
            "seconds": round(self.seconds, 3),
            "rows_per_second": round(self._rate(), 1),
        }

    def _rate(self) -> float:
        sent = self.tally.sent + self.tally.refunds.sent
        return sent / self.seconds if self.seconds else 0.0


def _progress(console: Console) -> Progress:
    speed = TextColumn("{task.fields[rate]:,.0f}/s")
    left = (TimeRemainingColumn(), TextColumn("left"))
    return Progress(BarColumn(), MofNCompleteColumn(), speed, *left, console=console)
