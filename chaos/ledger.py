"""The oracle of the proof: every purchase that was acknowledged, on disk before the next is sent.

It lies outside of everything that is killed, so what it says was promised.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path


class Ledger:
    """A file of acknowledged transaction ids, only ever appended, one batch a line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def accept(self, ids: Sequence[str], at_ms: int) -> None:
        """Write down that these were acknowledged; returns when that is on disk."""
        line = json.dumps({"at_ms": at_ms, "ids": list(ids)}) + "\n"
        # One write for one line: threads that append never mix their lines.
        os.write(self._descriptor, line.encode())
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Let the file go."""
        os.close(self._descriptor)


def accepted_ids(path: Path) -> set[str]:
    """Every id in a ledger; a repeated purchase is the same purchase."""
    return set(_ids(path))


def _ids(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield from json.loads(line)["ids"]
