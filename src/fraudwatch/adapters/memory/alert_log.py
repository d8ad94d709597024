"""Memory twin of the log of alerts; see :mod:`fraudwatch.application.alert_stream`."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from fraudwatch.application.alert_stream import (
    LogEntry,
    LogPosition,
    LogUnavailable,
    RetentionExceeded,
)
from fraudwatch.application.console.alerts import Alert

_ENTRIES_AT_ONCE = 3


class MemoryAlertLog:
    """``AlertHistory`` in lists, one a partition; tests can cut off its beginning."""

    def __init__(self, partitions: int = 2) -> None:
        self._entries: dict[int, list[LogEntry]] = {number: [] for number in range(partitions)}
        self.starts = dict.fromkeys(range(partitions), 0)
        self.is_reachable = True

    @property
    def end(self) -> LogPosition:
        """Return the position after all entries."""
        return LogPosition({number: len(found) for number, found in self._entries.items()})

    def append(self, partition: int, alert: Alert | None) -> LogEntry:
        """Add an entry, and return it."""
        entry = LogEntry(partition, len(self._entries[partition]), alert)
        self._entries[partition].append(entry)
        return entry

    def require_stored(self, start: LogPosition) -> None:
        if not self.is_reachable:
            raise LogUnavailable("this memory log was made unavailable")
        if any(offset < self.starts[number] for number, offset in start.offsets.items()):
            raise RetentionExceeded("this memory log begins later")

    def between(
        self, start: LogPosition, end: LogPosition
    ) -> Generator[Sequence[LogEntry], None, None]:
        self.require_stored(start)
        for number, found in self._entries.items():
            entries = found[start.offsets[number] : end.offsets[number]]
            for first in range(0, len(entries), _ENTRIES_AT_ONCE):
                yield entries[first : first + _ENTRIES_AT_ONCE]
