"""Memory twin of the tally table; see :mod:`fraudwatch.application.console.tallying`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.tally import (
    NONE,
    NOTHING_COUNTED,
    Counted,
    Counts,
    Key,
    Tally,
    tallies_of,
)

Place = tuple[str, int]


class MemoryTallyStore:
    """``TallyStore`` and ``TallyReader`` in dictionaries; each value has its write timestamp."""

    def __init__(self) -> None:
        self._until: dict[Place, tuple[int, int]] = {}
        self._rows: dict[Place, dict[Key, tuple[int, Counts]]] = {}
        self.saves = 0
        self.is_reachable = True

    def load(self, day: str, source_partition: int) -> Counted:
        self._check_reachable()
        place = day, source_partition
        rows = {key: counts for key, (_, counts) in self._rows.get(place, {}).items()}
        _, until = self._until.get(place, (0, NOTHING_COUNTED))
        return Counted(day, source_partition, until, rows)

    def save(self, counted: Counted) -> None:
        self._check_reachable()
        self.saves += 1
        place = counted.day, counted.source_partition
        written = counted.progress, counted.until
        self._until[place] = max(written, self._until.get(place, written))
        rows = self._rows.setdefault(place, {})
        for key in counted.changed:
            # Like a write timestamp: the value further on wins.
            rows[key] = max(rows.get(key, (0, NONE)), (counted.progress, counted.rows[key]))

    def tallies(self, days: Collection[date]) -> Sequence[Tally]:
        self._check_reachable()
        wanted = {day.isoformat() for day in days}
        return tallies_of(self.load(*place) for place in self._rows if place[0] in wanted)

    def _check_reachable(self) -> None:
        if not self.is_reachable:
            raise StoreUnavailable("this memory tally was made unavailable")
