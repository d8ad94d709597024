"""Ledger of acknowledged purchases: on disk before the next batch is sent.

The oracle of a chaos run; it is written by a process that no fault kills.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fraudwatch.adapters.jsonl_journal import JsonlJournal


class AcknowledgementLedger:
    """Append-only file of acknowledged transaction ids, one batch per line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch(mode=0o600)
        self._journal = JsonlJournal(path)

    def record(self, ids: Sequence[str], at_ms: int) -> None:
        """Record acknowledged ids; returns when they are on disk."""
        self._journal.append({"at_ms": at_ms, "ids": list(ids)})


def accepted_ids(path: Path) -> set[str]:
    """Read all ids of a ledger; a repeated purchase counts once.

    Raises:
        FileNotFoundError: there is no ledger.
    """
    path.stat()  # a missing ledger is an error, never an empty one
    return {name for entry in JsonlJournal(path).entries() for name in entry["ids"]}
