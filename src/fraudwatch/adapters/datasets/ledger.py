"""What was replayed into this home, so that nothing is replayed twice by mistake.

One JSON object a line, only ever appended, each on disk before the replay goes on. A line that a
crash cut short is ignored. The last line of a replay counts.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from fraudwatch.adapters.datasets.mapping import Mapping
from fraudwatch.application.replay.ports import ReplayFailed

State = Literal["begun", "reached", "finished"]
NOTED_EVERY_SECONDS = 10.0  # a killed replay sends at most this much again


@dataclass(frozen=True, slots=True)
class Entry:
    """How far one replay came: ``position`` rows in event order are acknowledged by the edge."""

    replay: str
    state: State
    position: int
    at: str
    file: str


class Ledger:
    """The file of entries."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def last(self, replay: str) -> Entry | None:
        """The newest entry of this replay, or None if there was none."""
        if not self._path.exists():
            return None
        entries = (_entry(line) for line in self._path.read_bytes().splitlines())
        found = [entry for entry in entries if entry is not None and entry.replay == replay]
        return found[-1] if found else None

    def write(self, entry: Entry) -> None:
        """Append one entry and return when it is on disk."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self._path.exists()
        with self._path.open("a+b") as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(size - 1)
            # A line cut short must not swallow the next one.
            start = b"\n" if size and file.read(1) != b"\n" else b""
            file.write(start + json.dumps(asdict(entry)).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            _sync_folder(self._path.parent)


def _entry(line: bytes) -> Entry | None:
    try:
        return Entry(**json.loads(line))
    except (ValueError, TypeError):
        return None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def identity_of(
    files: list[Path], mapping: Mapping, from_ms: int | None, until_ms: int | None
) -> str:
    """Names a replay by what it sends: contents of its files, meaning of its mapping, its range."""
    digests = []
    for path in files:
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    parts = [digests, mapping.model_dump(exclude={"about", "label"}), from_ms, until_ms]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class Journal:
    """One replay's own view of the ledger."""

    def __init__(self, ledger: Ledger, replay: str, file: str, clock: Callable[[], float]) -> None:
        self._ledger = ledger
        self._replay = replay
        self._file = file
        self._clock = clock
        self._noted_at = clock()

    def position(self) -> int:
        """Where to go on.

        Raises:
            ReplayFailed: nothing is left, this was replayed to its end.
        """
        last = self._ledger.last(self._replay)
        if last is None:
            return 0
        if last.state == "finished":
            raise ReplayFailed(
                f"{self._file} was replayed into this home already ({last.at}; same content,"
                " mapping and range), so nothing was sent; --again sends it once more"
            )
        return last.position

    def note(self, state: State, position: int) -> None:
        """Write down how far the replay is."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self._ledger.write(Entry(self._replay, state, position, at, self._file))
        self._noted_at = self._clock()

    def note_now_and_then(self, position: int) -> None:
        """The same, but not at every batch: each note waits for the disk."""
        if self._clock() - self._noted_at > NOTED_EVERY_SECONDS:
            self.note("reached", position)
