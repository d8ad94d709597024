"""Tally verdicts exactly once by event day and source partition, despite replays and crashes."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, Protocol

from fraudwatch.domain.instants import day_of
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.tally import Counted

# A day and partition is written in one atomic batch, of at most 128 KiB. A row is at most
# 0.75 KiB, and one verdict changes a handful.
MAX_CHANGED_ROWS: Final = 120
# About 40 MB; an evicted day is read back when it is needed.
MAX_CACHED_ROWS: Final = 100_000


class TallyStore(Protocol):
    """Store of tallies by event day and source partition."""

    def load(self, day: str, source_partition: int) -> Counted:
        """Load the last saved state; an empty one when nothing was saved.

        Raises:
            StoreUnavailable: the store does not answer now.
        """

    def save(self, counted: Counted) -> None:
        """Write the changed rows and ``until`` atomically.

        The state that has counted further wins, in any order of saves.

        Raises:
            StoreUnavailable: not saved, or the outcome is unknown; the same may be saved again.
        """


class Tallying:
    """Counts verdicts in memory; :meth:`flush` saves them, and nothing is final before that."""

    def __init__(
        self,
        store: TallyStore,
        *,
        max_changed_rows: int = MAX_CHANGED_ROWS,
        max_cached_rows: int = MAX_CACHED_ROWS,
    ) -> None:
        self._store = store
        self.topic_id = ""
        """Kafka's id of the topic of the transactions, set before the first verdict."""
        self._max_changed, self._max_cached = max_changed_rows, max_cached_rows
        self._cached: OrderedDict[tuple[str, int], Counted] = (
            OrderedDict()
        )  # least recently used first

    def count(self, verdict: Verdict) -> bool:
        """Count a verdict unless it was counted before; return whether it was counted now.

        Raises:
            StoreUnavailable: nothing was counted; the same verdict may be passed again.
        """
        counted = self._counted(day_of(verdict.event_at_ms), verdict.source_partition)
        if len(counted.changed) >= self._max_changed:
            self._save(counted)
        return counted.add(verdict)

    def flush(self) -> None:
        """Save everything counted; the consumer's offsets may be committed after this returns.

        Raises:
            StoreUnavailable: part of it may be saved; call again.
        """
        for counted in self._cached.values():
            if counted.changed:
                self._save(counted)
        while len(self._cached) > 1 and self._is_full():
            self._cached.popitem(last=False)

    def _counted(self, day: str, source_partition: int) -> Counted:
        place = day, source_partition
        if place not in self._cached:
            if self._is_full():
                self.flush()
            counted = self._store.load(day, source_partition)
            if self.topic_id:
                counted.continue_in(self.topic_id)
            self._cached[place] = counted
        self._cached.move_to_end(place)
        return self._cached[place]

    def _is_full(self) -> bool:
        return sum(len(counted.rows) for counted in self._cached.values()) > self._max_cached

    def _save(self, counted: Counted) -> None:
        self._store.save(counted)
        counted.changed.clear()
