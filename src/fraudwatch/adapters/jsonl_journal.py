"""JSONL journal: append entries durably, and read them back without a line torn by a crash.

A journal that grows without end is compacted: the entries that are still needed replace the file
atomically. Processes that append wait for it, so that no entry is lost.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fraudwatch.adapters.durable_file import replace_file, sync_folder


class JsonlJournal:
    """Append-only file with one JSON object a line, readable by its owner only."""

    def __init__(self, path: Path, *, break_first: bool = False) -> None:
        """Name the file; ``break_first`` starts each line with its line break, not ends it."""
        self.path = path
        self._break_first = break_first

    def append(self, entry: Mapping[str, Any]) -> None:
        """Append an entry, on disk before this returns.

        It starts on a line of its own, so that a torn line does not corrupt it. One write, so that
        entries of concurrent threads do not mix.

        Raises:
            OSError: the entry is not, or not wholly, on disk.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        is_new = not self.path.exists()
        with self._locked(fcntl.LOCK_SH) as file:
            line = self._line(file, json.dumps(entry).encode())
            if os.write(file, line) != len(line):
                raise OSError(f"{self.path}: the disk took a part of an entry only; is it full?")
            os.fsync(file)
        if is_new:
            sync_folder(self.path.parent)

    def entries(self) -> list[dict[str, Any]]:
        """Read all whole entries, oldest first; none if there is no file."""
        lines = self.path.read_bytes().split(b"\n") if self.path.exists() else []
        return [entry for line in lines if (entry := _entry(line)) is not None]

    def compact(
        self, select: Callable[[list[dict[str, Any]]], Sequence[Mapping[str, Any]]]
    ) -> None:
        """Replace the journal by the entries that are selected of all; a crash changes nothing.

        Raises:
            OSError: the new file is not on disk; the old one is unchanged.
        """
        if not self.path.exists():
            return
        with self._locked(fcntl.LOCK_EX):
            found = self.entries()
            kept = select(found)
            if len(kept) < len(found):
                lines = (self._ended(json.dumps(entry).encode()) for entry in kept)
                replace_file(self.path, b"".join(lines))

    @contextmanager
    def _locked(self, kind: int) -> Iterator[int]:
        """Open the file and lock it; once more if it was replaced in the meantime."""
        while True:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                fcntl.flock(file, kind)
                if self._is_current(file):
                    yield file
                    return
            finally:
                os.close(file)

    def _is_current(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), self.path.stat())
        except FileNotFoundError:
            return False

    def _ended(self, text: bytes) -> bytes:
        return b"\n" + text if self._break_first else text + b"\n"

    def _line(self, file: int, text: bytes) -> bytes:
        if self._break_first:
            return self._ended(text)
        size = os.fstat(file).st_size
        is_torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
        return (b"\n" if is_torn else b"") + self._ended(text)


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
