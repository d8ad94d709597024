"""Journal of replayed dead letters: a file in the home, so that none is replayed twice.

An entry is removed once its dead letter must have left the topic.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from fraudwatch.adapters.jsonl_journal import JsonlJournal
from fraudwatch.application.dead_letters.dlq import DlqRecord

# The topic's retention, and a month for a segment that is still written to.
KEPT: Final = timedelta(days=60)


class ReplayedFile:
    """``Replayed`` as one JSON object a line."""

    def __init__(self, path: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now, self._is_compact = now, False
        self._journal = JsonlJournal(path, break_first=True)
        entries = self._journal.entries()
        self._known = {(entry.get("id"), entry.get("payload_sha256")) for entry in entries}

    def __contains__(self, record: DlqRecord) -> bool:
        return (record.id, record.payload_sha256) in self._known

    def add(self, record: DlqRecord) -> None:
        now = self._now()
        key = {"id": record.id, "payload_sha256": record.payload_sha256}
        self._journal.append({**key, "at": now.isoformat(timespec="seconds")})
        self._known.add((record.id, record.payload_sha256))
        if not self._is_compact:
            oldest = (now - KEPT).isoformat(timespec="seconds")
            self._journal.compact(lambda found: [one for one in found if _added_at(one) >= oldest])
            self._is_compact = True


def _added_at(entry: dict[str, Any]) -> str:
    return str(entry.get("at", ""))
