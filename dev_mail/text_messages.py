"""Store text and chat messages that would have gone to a gateway or a chat service."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from fraudwatch.adapters.jsonl_journal import JsonlJournal

MAX_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class TextMessage:
    """One message; a chat message has no recipient."""

    received_at: str
    recipient: str
    text: str


class TextMessages:
    """Journal with a limited number of messages; the oldest are deleted first."""

    def __init__(self, path: Path, *, max_kept: int = MAX_KEPT) -> None:
        self._journal, self._max_kept = JsonlJournal(path), max_kept

    def add(self, recipient: str, text: str) -> None:
        """Store a message."""
        received_at = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
        self._journal.append(asdict(TextMessage(received_at, recipient, text)))
        # Seldom: each time the whole file is written anew.
        if len(entries := self._journal.entries()) > 2 * self._max_kept:
            kept = entries[-self._max_kept :]
            self._journal.compact(lambda _: kept)

    def newest(self, count: int) -> list[TextMessage]:
        """Return the newest messages, newest first."""
        return [TextMessage(**one) for one in reversed(self._journal.entries()[-count:])]
