"""Journal of replayed dead letters: a file in the home, so that none is replayed twice."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from fraudwatch.adapters.jsonl_journal import JsonlJournal
from fraudwatch.application.dead_letters.dlq import DlqRecord


class ReplayedFile:
    """``Replayed`` as one JSON object a line."""

    def __init__(self, path: Path) -> None:
        self._journal = JsonlJournal(path, break_first=True)
        entries = self._journal.entries()
        self._known = {(entry.get("id"), entry.get("payload_sha256")) for entry in entries}

    def __contains__(self, record: DlqRecord) -> bool:
        return (record.id, record.payload_sha256) in self._known

    def add(self, record: DlqRecord) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        key = {"id": record.id, "payload_sha256": record.payload_sha256}
        self._journal.append({**key, "at": now})
        self._known.add((record.id, record.payload_sha256))
