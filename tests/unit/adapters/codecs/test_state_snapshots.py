from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest

from fraudwatch.adapters.codecs import periodic_snapshots, snapshot_segments
from fraudwatch.adapters.codecs.periodic_snapshots import PeriodicSnapshots
from fraudwatch.adapters.codecs.snapshot_segments import Run, compacted
from fraudwatch.adapters.codecs.state_snapshots import (
    Covered,
    Restored,
    SnapshotFolder,
    newest_usable,
)
from fraudwatch.domain.features.events import Events
from fraudwatch.domain.features.fold import fold
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.time_units import DAY_MS

START_MS = 1_795_262_400_000


def events(first: int, count: int, customers: int = 3_000) -> Events:
    numbers = np.arange(first, first + count)
    return Events(
        customer_key=(numbers % customers).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15),
        transaction_key=numbers.astype(np.uint64),
        event_at_ms=START_MS + numbers * 1_000,
        produced_at_ms=START_MS + numbers * 1_000,
        amount_eur_cents=numbers * 7 % 10_000,
        is_approved=numbers % 5 != 0,
        is_present=numbers % 2 == 0,
        latitude=np.where(numbers % 3 == 0, np.nan, numbers % 90).astype(np.float64),
        longitude=(numbers % 180).astype(np.float64),
        billing_latitude=np.full(count, np.nan),
        billing_longitude=np.full(count, np.nan),
        shipping_latitude=np.full(count, np.nan),
        shipping_longitude=np.full(count, np.nan),
        item_count=(numbers % 4).astype(np.float64),
        category_key=(numbers % 13).astype(np.uint64),
        merchant_key=(numbers % 57).astype(np.uint64),
        device_key=(numbers % 11).astype(np.uint64),
        country_key=(numbers % 3).astype(np.uint64),
    )


@pytest.fixture
def folder(tmp_path: Path) -> SnapshotFolder:
    return SnapshotFolder(tmp_path / "snapshots")


def a_state(count: int = 10_000) -> CustomerState:
    state = CustomerState()
    fold(state, events(0, count))
    return state


def covered(end: int, version: str = "v1", at_ms: int = 1_000) -> Covered:
    return Covered(version, {0: end, 1: end}, at_ms)


def restored(folder: SnapshotFolder, committed: int = 10**9) -> Restored | None:
    return newest_usable(folder.newest_first(), lambda c: c.ends.get(0, 0) <= committed)


def by_customer(state: CustomerState) -> dict[int, tuple[bytes, ...]]:
    """Copy the whole state in a form that does not depend on the order of its rows."""
    copy = state.copied()
    return {
        int(key): tuple(values.tobytes() for values in copy.rows.chosen([row]))
        for row, key in enumerate(copy.keys)
    }


def finish(snapshots: PeriodicSnapshots) -> None:
    assert snapshots._writing is not None
    snapshots._writing.join(timeout=60)
    assert not snapshots._writing.is_alive()


def test_a_restored_state_continues_unchanged(folder: SnapshotFolder) -> None:
    state = a_state()
    folder.write([state.copied()], covered(5_000))
    found = restored(folder)
    assert found is not None
    assert found.snapshot.covered == covered(5_000)
    assert (found.state.customers, found.state.changed) == (3_000, 0)
    later = events(9_990, 8_000)
    one, other = fold(state, later), fold(found.state, later)
    assert one.features.tobytes() == other.features.tobytes()
    assert one.is_repeat.tolist() == other.is_repeat.tolist()
    assert one.is_repeat.sum() == 10


def test_a_copy_of_changed_rows_does_not_change_with_the_state() -> None:
    state = a_state(100)
    copy = state.take_changed(1_000)
    fold(state, events(100, 100))
    assert copy.rows.recent_count.sum() == 100
    assert state.changed == 100


def test_only_looked_up_rows_count_as_changed_and_each_is_copied_once() -> None:
    state = a_state(3_000)
    parts = [state.take_changed(1_300) for _ in range(4)]
    assert [len(part.keys) for part in parts] == [1_300, 1_300, 400, 0]
    assert len(np.unique(np.concatenate([part.keys for part in parts]))) == 3_000
    again = events(3_000, 5)
    fold(state, again)
    assert set(state.take_changed(1_300).keys.tolist()) == set(again.customer_key.tolist())
    state.mark_changed()
    assert state.changed == 3_000


def test_the_newest_is_the_one_that_covers_most_whatever_the_clock(
    folder: SnapshotFolder,
) -> None:
    for at_ms, end in ((9_000, 10), (3_000, 20), (1_000, 30), (2_000, 40), (500, 50)):
        folder.write([a_state(end).copied()], covered(end, at_ms=at_ms))
    assert [one.covered.ends[0] for one in folder.newest_first()] == [50, 40, 30]
    found = restored(folder, committed=49)
    assert found is not None
    assert found.snapshot.covered == covered(40, at_ms=2_000)
    assert found.state.copied().rows.recent_count.sum() == 40


def test_an_older_snapshot_that_is_written_later_removes_no_newer_one(
    folder: SnapshotFolder,
) -> None:
    for end in (20, 30, 40, 10):
        folder.write([a_state(end).copied()], covered(end))
    assert [one.covered.ends[0] for one in folder.newest_first()][:3] == [40, 30, 20]


def test_none_is_restored_if_none_is_usable(folder: SnapshotFolder) -> None:
    assert restored(folder) is None
    folder.write([a_state(10).copied()], covered(10))
    assert restored(folder, committed=9) is None


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "missing"])
@pytest.mark.parametrize("suffix", [".npz", ".manifest"])
def test_a_damaged_snapshot_is_skipped(folder: SnapshotFolder, suffix: str, damage: str) -> None:
    folder.write([a_state(10).copied()], covered(10))
    before = set(folder.folder.iterdir())
    folder.write([a_state(5_000).copied()], covered(20))  # almost all of it is data
    [newest] = [p for p in folder.folder.iterdir() if p not in before and p.suffix == suffix]
    content = bytearray(newest.read_bytes())
    if damage == "bit":
        content[len(content) // 2] ^= 1
    newest.write_bytes({"cut": content[:-100], "bit": content}.get(damage, b""))
    if damage == "missing":
        newest.unlink()
    found = restored(folder)
    assert found is not None
    assert found.snapshot.covered.ends == {0: 10, 1: 10}


def test_files_of_a_write_that_a_crash_cut_off_are_removed_at_start(
    folder: SnapshotFolder,
) -> None:
    folder.write([a_state(10).copied()], covered(10))
    whole = set(folder.folder.iterdir())
    list(folder.segments.write(a_state(10).copied()))  # its manifest was not written any more
    for name in ("0a.part", "tmpabc", "000000000000009.npz"):
        (folder.folder / name).write_bytes(b"half")
    folder.keep_only(lambda _: True)
    assert set(folder.folder.iterdir()) == whole
    folder.keep_only(lambda one: one.ends[0] < 10)
    assert list(folder.folder.iterdir()) == []


def test_a_merge_keeps_the_newest_row_of_each_customer(
    folder: SnapshotFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_segments, "SEGMENT_ROWS", 64)
    state, runs = CustomerState(), []
    for first, count in ((0, 500), (450, 300), (90, 40)):
        fold(state, events(first, count, customers=400))
        rows = state.take_changed(10_000)
        runs.append(Run(len(rows.keys), tuple(folder.segments.write(rows))))
    merged = folder.segments.merged(runs)
    assert (merged.rows, len(merged.segments)) == (400, 7)
    folder.add(covered(1), [merged])
    found = restored(folder)
    assert found is not None
    assert by_customer(found.state) == by_customer(state)


def test_runs_are_merged_until_each_is_longer_than_all_newer_ones(folder: SnapshotFolder) -> None:
    def run_of(first: int, count: int) -> Run:
        some = a_state(first + count).copied().chosen(slice(first, None))
        return Run(count, tuple(folder.segments.write(some)))

    base, small, smaller = run_of(0, 900), run_of(1_000, 30), run_of(1_100, 20)
    assert compacted(folder.segments, [base, small, smaller]) == (base, small, smaller)
    kept, merged = compacted(folder.segments, [base, small, smaller, run_of(1_200, 20)])
    assert (kept, merged.rows) == (base, 70)
    assert [run.rows for run in compacted(folder.segments, [base, run_of(1_000, 900)])] == [1_800]


def periodic(folder: SnapshotFolder, *, every_seconds: float = 0.0) -> PeriodicSnapshots:
    return PeriodicSnapshots(folder, "v1", every_seconds, lambda: 7_000, lambda _: None)


def test_a_snapshot_is_the_state_at_its_offsets_however_it_was_handed_over(
    folder: SnapshotFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are handed over while batches change them, through crashes, merges and full disks."""
    monkeypatch.setattr(periodic_snapshots, "_ROWS_AT_ONCE", 40)
    monkeypatch.setattr(snapshot_segments, "SEGMENT_ROWS", 64)
    chance = random.Random(5)
    state, snapshots, end = CustomerState(), periodic(folder), 0
    at_end, checked = {0: by_customer(state)}, set()
    for step in range(80):
        count = chance.randrange(1, 60)
        fold(state, events(end, count, customers=chance.choice([30, 250])))
        at_end[end := end + count] = by_customer(state)
        with monkeypatch.context() as disk:
            if step in {30, 31}:
                disk.setattr(os, "fsync", no_space)
            snapshots.offer(state, {0: end})
            finish(snapshots)
        [newest, *_] = [*folder.newest_first(), None]
        if newest is not None and newest.covered.ends[0] not in checked:
            assert by_customer(newest.load()) == at_end[newest.covered.ends[0]]
            checked.add(newest.covered.ends[0])
        if newest is not None and step % 25 == 24:  # a crash: what was not covered is lost
            state, end = newest.load(), newest.covered.ends[0]
            folder.keep_only(lambda _: True)
            snapshots = periodic(folder)
            snapshots.resume(Restored(state, newest))
    assert len(checked) > 20
    assert max(checked) > end - 200


def no_space(_: int) -> None:
    raise OSError(28, "No space left on device")


def test_a_whole_state_is_handed_over_in_bounded_parts(
    folder: SnapshotFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periodic_snapshots, "_ROWS_AT_ONCE", 1_000)
    state, snapshots, left = a_state(3_000), periodic(folder), []
    for step in range(5):
        snapshots.offer(state, {0: 3_000 + 10 * step})
        finish(snapshots)
        left.append(state.changed)
        fold(state, events(3_000 + 10 * step, 10))
    # Each hand-over takes what changed since the one before, and a thousand rows more.
    assert left[:4] == [2_000, 1_000, 0, 0]
    assert [one.covered.ends[0] for one in folder.newest_first()] == [3_040, 3_030, 3_020]


def test_a_part_stays_bounded_after_an_eviction_of_changed_rows(
    folder: SnapshotFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periodic_snapshots, "_ROWS_AT_ONCE", 100)
    state, snapshots = CustomerState(), periodic(folder)
    fold(state, events(0, 300))
    later = events(300, 2_700)
    fold(state, later._replace(produced_at_ms=later.produced_at_ms + 62 * DAY_MS))
    snapshots.offer(state, {0: 3_000})
    finish(snapshots)
    assert state.evict_idle(START_MS + 62 * DAY_MS) == 300
    assert state.changed == 2_700
    snapshots.offer(state, {0: 3_000})
    finish(snapshots)
    assert state.changed == 2_600


def test_a_snapshot_is_written_when_it_is_due_and_reported(folder: SnapshotFolder) -> None:
    written_at: list[float] = []
    snapshots = PeriodicSnapshots(folder, "v1", 3_600, lambda: 7_000, written_at.append)
    state = a_state(10)
    snapshots.offer(state, {0: 10})
    assert snapshots._writing is None
    snapshots.every_seconds = 0
    snapshots.offer(state, {})
    assert snapshots._writing is None
    snapshots.offer(state, {0: 10})
    finish(snapshots)
    assert written_at == [7.0]
    found = restored(folder)
    assert found is not None
    assert found.snapshot.covered == Covered("v1", {0: 10}, 7_000)


def test_a_state_of_another_folder_is_written_completely(
    folder: SnapshotFolder, tmp_path: Path
) -> None:
    other = SnapshotFolder(tmp_path / "published")
    other.write([a_state(500).copied()], covered(500))
    found = restored(other)
    assert found is not None
    snapshots = periodic(folder)
    snapshots.resume(found)
    assert found.state.changed == 500
    snapshots.offer(found.state, {0: 500})
    finish(snapshots)
    own = restored(folder)
    assert own is not None
    assert by_customer(own.state) == by_customer(a_state(500))
