from __future__ import annotations

from typing import Any

import pytest

from fraudwatch.adapters.memory.tallies import MemoryTallyStore
from fraudwatch.application.console.tallying import MAX_CHANGED_ROWS, Tallying
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.tally import LONGEST_VALUE, Counted, Dimension
from fraudwatch.samples import NOON_MS, a_verdict

DAY_MS = 86_400_000
ALL = Dimension.ALL, ""


class WatchedStore(MemoryTallyStore):
    """Store that records its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[tuple[str, int]] = []
        self.sizes: list[int] = []

    def load(self, day: str, source_partition: int) -> Counted:
        self.loaded.append((day, source_partition))
        return super().load(day, source_partition)

    def save(self, counted: Counted) -> None:
        super().save(counted)
        self.sizes.append(len(counted.changed))


@pytest.fixture
def store() -> WatchedStore:
    return WatchedStore()


def test_nothing_is_saved_before_a_flush_and_then_all(store: WatchedStore) -> None:
    tallying = Tallying(store)
    for offset in range(5):
        tallying.count(a_verdict(source_offset=offset, event_at_ms=NOON_MS - offset % 2 * DAY_MS))
    assert store.sizes == []
    tallying.flush()
    assert store.load("2026-01-15", 0).rows[ALL].purchases == 3
    assert store.load("2026-01-14", 0).rows[ALL].purchases == 2
    assert len(store.sizes) == 2


def test_without_changes_nothing_is_saved(store: WatchedStore) -> None:
    tallying = Tallying(store)
    tallying.count(a_verdict())
    tallying.flush()
    tallying.count(a_verdict())
    tallying.flush()
    assert len(store.sizes) == 1


def test_a_save_is_never_bigger_than_a_batch_may_be(store: WatchedStore) -> None:
    tallying = Tallying(store)
    for offset in range(1_000):
        tallying.count(a_verdict(source_offset=offset, merchant_id=f"m-{offset}"))
    tallying.flush()
    assert max(store.sizes) < MAX_CHANGED_ROWS + 20
    assert len(store.load("2026-01-15", 0).rows) == 1_000 + 5
    # Seven counts of 8 bytes, each a cell with a timestamp and a time to live, and the longest key.
    worst_row_bytes = 7 * (8 + 8 + 8) + 4 * LONGEST_VALUE + 60
    assert (MAX_CHANGED_ROWS + 20) * worst_row_bytes < 128 * 1024


def test_unused_days_are_evicted_and_read_back(store: WatchedStore) -> None:
    tallying = Tallying(store, max_cached_rows=12)
    for offset, days_ago in enumerate([0, 1, 2, 0]):
        tallying.count(a_verdict(source_offset=offset, event_at_ms=NOON_MS - days_ago * DAY_MS))
        tallying.flush()
    assert [day for day, _ in store.loaded] == [
        "2026-01-15",
        "2026-01-14",
        "2026-01-13",
        "2026-01-15",
    ]
    assert store.load("2026-01-15", 0).rows[ALL].purchases == 2


@pytest.mark.parametrize("bounds", [{}, {"max_changed_rows": 1}, {"max_cached_rows": 1}])
def test_while_the_store_is_unavailable_nothing_is_lost_or_counted_twice(
    store: WatchedStore, bounds: dict[str, Any]
) -> None:
    tallying = Tallying(store, **bounds)
    tallying.count(a_verdict(source_offset=1))
    later = a_verdict(source_offset=2, event_at_ms=NOON_MS - DAY_MS)
    store.is_reachable = False
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            tallying.count(later)
        with pytest.raises(StoreUnavailable):
            tallying.flush()
    store.is_reachable = True
    assert tallying.count(later)
    tallying.flush()
    assert store.load("2026-01-15", 0).rows[ALL].purchases == 1
    assert store.load("2026-01-14", 0).rows[ALL].purchases == 1
