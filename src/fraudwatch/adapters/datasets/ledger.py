"""Ledger of replays into this home, so that nothing is replayed twice by mistake.

Each entry is on disk before the replay continues. The last entry of a replay counts; the others are
removed when the next replay begins.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from fraudwatch.adapters.datasets.mapping import Mapping
from fraudwatch.adapters.jsonl_journal import JsonlJournal
from fraudwatch.application.replay.ports import ReplayFailed

State = Literal["begun", "reached", "finished"]
NOTED_EVERY_SECONDS = 10.0  # a killed replay repeats at most this much


@dataclass(frozen=True, slots=True)
class ReplayEntry:
    """Progress of a replay: ``position`` rows in event order are acknowledged by ingest."""

    replay: str
    state: State
    position: int
    at: str
    file: str


class Ledger:
    """File of ledger entries."""

    def __init__(self, path: Path) -> None:
        self._journal = JsonlJournal(path)

    def last(self, replay: str) -> ReplayEntry | None:
        """Return the newest entry of this replay, or None."""
        found = [_entry(one) for one in self._journal.entries() if one.get("replay") == replay]
        return next((entry for entry in reversed(found) if entry is not None), None)

    def write(self, entry: ReplayEntry) -> None:
        """Append an entry, on disk before this returns."""
        if entry.state == "begun":
            self._journal.compact(_last_of_each)
        self._journal.append(asdict(entry))


def _last_of_each(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({entry.get("replay"): entry for entry in entries}.values())


def _entry(fields: dict[str, Any]) -> ReplayEntry | None:
    try:
        return ReplayEntry(**fields)
    except TypeError:  # of a version with other fields
        return None


def identity_of(
    files: list[Path], mapping: Mapping, from_ms: int | None, until_ms: int | None
) -> str:
    """Hash what a replay sends: contents of its files, its mapping, its range."""
    digests = []
    for path in files:
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    parts = [digests, mapping.model_dump(exclude={"about", "label"}), from_ms, until_ms]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class Journal:
    """Ledger of one replay."""

    def __init__(self, ledger: Ledger, replay: str, file: str, clock: Callable[[], float]) -> None:
        self._ledger = ledger
        self._replay = replay
        self._file = file
        self._clock = clock
        self._noted_at = clock()

    def position(self) -> int:
        """Return the position at which to resume.

        Raises:
            ReplayFailed: the replay is complete.
        """
        last = self._ledger.last(self._replay)
        if last is None:
            return 0
        if last.state == "finished":
            raise ReplayFailed(
                f"{self._file} was replayed into this home already ({last.at}; same content,"
                " mapping and range), so nothing was sent; --again replays it"
            )
        return last.position

    def note(self, state: State, position: int) -> None:
        """Record the position of the replay."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self._ledger.write(ReplayEntry(self._replay, state, position, at, self._file))
        self._noted_at = self._clock()

    def note_now_and_then(self, position: int) -> None:
        """Record the position every few seconds only, because each entry waits for the disk."""
        if self._clock() - self._noted_at > NOTED_EVERY_SECONDS:
            self.note("reached", position)
