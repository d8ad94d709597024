"""Count verdicts as they are made: exactly once, whatever is read again and whoever is killed."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, Protocol

from fraudwatch.domain.instants import day_of
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.tally import Counted

# A day and partition is written in one batch, which the store takes whole or not at all, and it
# takes none that is too big: 128 KiB. A row is at most 0.75 KiB, and one verdict changes a handful.
MOST_CHANGED_ROWS: Final = 120
# About 40 MB; a day that is asked for again is read back.
MOST_HELD_ROWS: Final = 100_000


class TallyStore(Protocol):
    """Keeps counts by event day and source partition."""

    def load(self, day: str, source_partition: int) -> Counted:
        """What was saved last; with nothing in it when nothing was.

        Raises:
            StoreUnavailable: not now.
        """

    def save(self, counted: Counted) -> None:
        """Write the changed rows as they stand and ``until``, all of it or nothing.

        The state that has counted further stands, in whatever order two are saved.

        Raises:
            StoreUnavailable: not now, or it cannot tell; the same may be saved again.
        """


class Tallying:
    """Counts verdicts in memory and saves them when told to; nothing is final before that."""

    def __init__(
        self,
        store: TallyStore,
        *,
        most_changed_rows: int = MOST_CHANGED_ROWS,
        most_held_rows: int = MOST_HELD_ROWS,
    ) -> None:
        self._store = store
        self._most_changed, self._most_held = most_changed_rows, most_held_rows
        self._held: OrderedDict[tuple[str, int], Counted] = OrderedDict()  # longest unused first

    def count(self, verdict: Verdict) -> bool:
        """Count a verdict unless it was counted before; whether it was counted now.

        Raises:
            StoreUnavailable: nothing was counted; the same verdict may be given again.
        """
        counted = self._counted(day_of(verdict.event_at_ms), verdict.source_partition)
        if len(counted.changed) >= self._most_changed:
            self._save(counted)
        return counted.add(verdict)

    def flush(self) -> None:
        """Return when everything that was counted is saved; the log's offset may move after that.

        Raises:
            StoreUnavailable: part of it may be saved; ask again.
        """
        for counted in self._held.values():
            if counted.changed:
                self._save(counted)
        while len(self._held) > 1 and self._has_too_much():
            self._held.popitem(last=False)

    def _counted(self, day: str, source_partition: int) -> Counted:
        place = day, source_partition
        if place not in self._held:
            if self._has_too_much():
                self.flush()
            self._held[place] = self._store.load(day, source_partition)
        self._held.move_to_end(place)
        return self._held[place]

    def _has_too_much(self) -> bool:
        return sum(len(counted.rows) for counted in self._held.values()) > self._most_held

    def _save(self, counted: Counted) -> None:
        self._store.save(counted)
        counted.changed.clear()
