from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from fraudwatch.adapters.codecs.state_snapshots import Covered, PeriodicSnapshots, SnapshotFolder
from fraudwatch.domain.features.events import Events
from fraudwatch.domain.features.fold import fold
from fraudwatch.domain.features.state import CustomerState
from tests.waiting import eventually

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


def test_a_restored_state_continues_unchanged(folder: SnapshotFolder) -> None:
    state = a_state()
    folder.write(state.copied(), covered(5_000))
    restored = folder.newest("v1", {0: 5_000, 1: 6_000})
    assert restored is not None
    assert restored.covered == covered(5_000)
    assert restored.state.customers == 3_000
    later = events(9_990, 8_000)
    one, other = fold(state, later), fold(restored.state, later)
    assert one.features.tobytes() == other.features.tobytes()
    assert one.is_repeat.tolist() == other.is_repeat.tolist()
    assert one.is_repeat.sum() == 10


def test_a_copy_does_not_change_with_the_state(folder: SnapshotFolder) -> None:
    state = a_state(100)
    copy = state.copied()
    fold(state, events(100, 100))
    assert copy.rows.recent_count.sum() == 100
    folder.write(copy, covered(100))
    restored = folder.newest("v1", {0: 100, 1: 100})
    assert restored is not None
    assert restored.state.rows.recent_count.sum() == 100


def test_the_newest_that_covers_nothing_uncommitted_is_restored(folder: SnapshotFolder) -> None:
    for at_ms, end in ((1, 10), (2, 20), (3, 30)):
        folder.write(a_state(end).copied(), covered(end, at_ms=at_ms))
    found = folder.newest("v1", {0: 29, 1: 40})
    assert found is not None
    assert found.covered.ends == {0: 20, 1: 20}


def test_another_features_version_is_ignored(folder: SnapshotFolder) -> None:
    folder.write(a_state(10).copied(), covered(10, version="v1"))
    assert folder.newest("v2", {0: 10, 1: 10}) is None


def test_a_removed_checkpoint_makes_snapshots_useless(folder: SnapshotFolder) -> None:
    folder.write(a_state(10).copied(), covered(10))
    assert folder.newest("v1", {}) is None


@pytest.mark.parametrize("damage", ["cut", "bit", "empty"])
def test_a_damaged_snapshot_is_skipped(folder: SnapshotFolder, damage: str) -> None:
    folder.write(a_state(10).copied(), covered(10, at_ms=1))
    folder.write(a_state(20).copied(), covered(20, at_ms=2))
    [newest, _] = sorted(folder.folder.iterdir(), reverse=True)
    content = bytearray(newest.read_bytes())
    if damage == "bit":
        content[len(content) // 2] ^= 1
    newest.write_bytes({"cut": content[:-100], "bit": content, "empty": b""}[damage])
    found = folder.newest("v1", {0: 50, 1: 50})
    assert found is not None
    assert found.covered.ends == {0: 10, 1: 10}


def test_three_are_kept_and_an_unfinished_one_is_never_read(folder: SnapshotFolder) -> None:
    for at_ms in range(1, 6):
        folder.write(a_state(10).copied(), covered(at_ms, at_ms=at_ms))
    (folder.folder / "000000000000009.part").write_bytes(b"half")
    assert len(list(folder.folder.glob("*.npz"))) == 3
    found = folder.newest("v1", {0: 99, 1: 99})
    assert found is not None
    assert found.covered.snapshot_at_ms == 5


def test_snapshots_are_written_periodically_and_reported(folder: SnapshotFolder) -> None:
    written_at: list[float] = []
    periodic = PeriodicSnapshots(folder, "v1", 0.2, lambda: 7_000, written_at.append)
    state = a_state(10)
    periodic.offer(state, {0: 10})
    assert written_at == []
    time.sleep(0.25)
    periodic.offer(state, {})
    periodic.offer(state, {0: 10})
    eventually(lambda: written_at == [7.0], within_seconds=10, what="the snapshot")
    found = folder.newest("v1", {0: 10})
    assert found is not None
    assert found.covered.ends == {0: 10}
