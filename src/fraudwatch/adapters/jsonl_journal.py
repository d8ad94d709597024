"""JSONL journal: append entries durably, and read them back without a line torn by a crash."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fraudwatch.adapters.durable_file import sync_folder


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
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            line = self._line(file, json.dumps(entry).encode())
            if os.write(file, line) != len(line):
                raise OSError(f"{self.path}: the disk took a part of an entry only; is it full?")
            os.fsync(file)
        finally:
            os.close(file)
        if is_new:
            sync_folder(self.path.parent)

    def entries(self) -> list[dict[str, Any]]:
        """Read all whole entries, oldest first; none if there is no file."""
        lines = self.path.read_bytes().split(b"\n") if self.path.exists() else []
        return [entry for line in lines if (entry := _entry(line)) is not None]

    def _line(self, file: int, text: bytes) -> bytes:
        if self._break_first:
            return b"\n" + text
        size = os.fstat(file).st_size
        is_torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
        return (b"\n" if is_torn else b"") + text + b"\n"


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
