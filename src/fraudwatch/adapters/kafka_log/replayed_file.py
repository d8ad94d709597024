"""Journal of replayed dead letters: a file in the home, so that none is replayed twice."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from fraudwatch.adapters.edge.keysets import write_durably
from fraudwatch.application.dead_letters.dlq import DlqRecord


class ReplayedFile:
    """``Replayed`` as one JSON object a line; a line torn by a crash is ignored."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_bytes().splitlines() if path.exists() else []
        self._known = {known for line in lines if (known := _entry_of(line))}

    def __contains__(self, record: DlqRecord) -> bool:
        return (record.id, record.payload_sha256) in self._known

    def add(self, record: DlqRecord) -> None:
        if not self._path.exists():
            write_durably(self._path, "")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        entry = {"id": record.id, "payload_sha256": record.payload_sha256, "at": now}
        with self._path.open("a", encoding="utf-8") as file:
            # The line break comes first, so that a torn line does not corrupt the next entry.
            file.write(f"\n{json.dumps(entry)}")
            file.flush()
            os.fsync(file.fileno())
        self._known.add((record.id, record.payload_sha256))


def _entry_of(line: bytes) -> tuple[str, str] | None:
    try:
        entry = json.loads(line)
        return entry["id"], entry["payload_sha256"]
    except (ValueError, TypeError, KeyError):
        return None
