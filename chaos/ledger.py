"""Ledger of acknowledged purchases: on disk before the next batch is sent.

The oracle of a chaos run; it is written by a process that no fault kills.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path


class AcknowledgementLedger:
    """Append-only file of acknowledged transaction ids, one batch per line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def record(self, ids: Sequence[str], at_ms: int) -> None:
        """Record acknowledged ids; returns when they are on disk."""
        line = json.dumps({"at_ms": at_ms, "ids": list(ids)}) + "\n"
        # One write per line, so that lines of concurrent threads do not mix.
        os.write(self._descriptor, line.encode())
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def accepted_ids(path: Path) -> set[str]:
    """Read all ids of a ledger; a repeated purchase counts once."""
    return set(_ids(path))


def _ids(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield from json.loads(line)["ids"]
