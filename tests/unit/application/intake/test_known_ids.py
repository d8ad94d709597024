from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from fraudwatch.adapters.id_filter_folder import IdFilterFolder
from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.intake.known_ids import (
    IdCatchUp,
    KnownIds,
    LogPositions,
    ScoredId,
)
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.id_filter import IdFilter
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.samples import NOON_MS, a_verdict

HASH = "0a1b2c3d_" + 32 * "e"
MAX_BYTES = 64 * 3 * 1_024


class CountedLookup:
    """A store that counts what it is asked."""

    def __init__(self, *ids: str) -> None:
        self.asked: list[str] = []
        self.is_reachable = True
        self._store = MemoryVerdictStore()
        self._store.write([a_verdict(transaction_id=one, content_hash=HASH) for one in ids], [])

    def verdicts_of(self, transaction_ids: Collection[str]) -> dict[str, Verdict]:
        if not self.is_reachable:
            raise StoreUnavailable("down")
        self.asked += transaction_ids
        return self._store.verdicts_of(transaction_ids)


def known_of(lookup: CountedLookup, folder: IdFilterFolder | None = None, **more: Any) -> KnownIds:
    segments, _ = folder.load() if folder else ([], None)
    return KnownIds(IdFilter(MAX_BYTES, segments), lookup, lambda: NOON_MS, **more)


def test_only_what_the_filter_may_have_is_looked_up() -> None:
    lookup = CountedLookup("shop:1")
    counted: dict[str, int] = {}
    known = known_of(lookup, count=lambda **more: counted.update(more))
    assert known.hashes_of(["shop:1", "shop:2"]) == {}
    assert lookup.asked == []
    known.add(["shop:1", "shop:2"])
    assert known.hashes_of(["shop:1", "shop:2", "shop:3"]) == {"shop:1": HASH}
    assert lookup.asked == ["shop:1", "shop:2"]
    assert counted == {"found": 1, "missing": 1}


def test_without_the_store_nothing_is_known_and_nothing_is_refused() -> None:
    lookup = CountedLookup("shop:1")
    counted: dict[str, int] = {}
    known = known_of(lookup, count=lambda **more: counted.update(more))
    known.add(["shop:1"])
    lookup.is_reachable = False
    assert known.hashes_of(["shop:1"]) == {}
    assert counted == {"unavailable": 1}


class MemoryScoredLog:
    """``ScoredLog`` of one partition: ids by offset, of which the first ``scored`` are scored."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.scored = 0
        self.reads: list[tuple[int, int]] = []
        self.is_reachable = True

    def positions(self) -> LogPositions:
        if not self.is_reachable:
            raise ConnectionError
        return LogPositions({0: len(self.ids)}, {0: self.scored})

    def read(
        self,
        starts: Mapping[int, int],
        ends: Mapping[int, int],
        handle: Callable[[Sequence[ScoredId]], None],
    ) -> None:
        start = starts.get(0, 0)
        self.reads.append((start, ends[0]))
        handle([ScoredId(self.ids[at], 0, at) for at in range(start, ends[0])])


class World:
    """Processes of ingest one after the other, over one folder and one log."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log, self.lookup = folder, MemoryScoredLog(), CountedLookup()
        self.start()

    def start(self) -> None:
        store = IdFilterFolder(self.folder)
        segments, covered = store.load()
        self.known = KnownIds(IdFilter(MAX_BYTES, segments), self.lookup, lambda: NOON_MS)
        self.catch_up = IdCatchUp(self.known, self.log, store, covered)

    def accept(self, *ids: str) -> None:
        self.known.add(ids)
        self.log.ids += ids

    def has(self, *ids: str) -> bool:
        return self.known.filter.maybe(ids) == list(ids)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "ids")


def test_a_new_home_is_complete_at_once(world: World) -> None:
    assert not world.catch_up.is_complete
    world.catch_up.step()
    assert world.catch_up.is_complete
    assert world.log.reads == []


def test_what_was_saved_is_known_in_the_next_process_without_reading_the_log(
    world: World,
) -> None:
    world.accept("shop:1", "shop:2")
    world.log.scored = 2
    world.catch_up.step()
    world.start()
    world.log.reads.clear()
    world.catch_up.step()
    assert world.has("shop:1", "shop:2")
    assert (world.catch_up.is_complete, world.log.reads) == (True, [])


def test_what_was_accepted_after_the_last_save_is_read_from_the_verdicts(world: World) -> None:
    world.accept("shop:1")
    world.log.scored = 1
    world.catch_up.step()
    world.accept("shop:2", "shop:3")
    world.log.scored = 2
    world.start()  # killed before it saved
    world.log.reads.clear()
    assert not world.has("shop:2")
    world.catch_up.step()
    assert (world.has("shop:2"), world.has("shop:3")) == (True, False)
    assert not world.catch_up.is_complete
    assert world.log.reads == [(1, 2)]
    world.start()  # again: what was read is on disk, and what is missing is still to be read
    assert world.has("shop:2")
    world.catch_up.step()
    assert not world.catch_up.is_complete
    world.log.scored = 3
    world.catch_up.step()
    assert (world.has("shop:3"), world.catch_up.is_complete) == (True, True)
    assert world.log.reads[-1] == (2, 3)


def test_a_home_without_a_filter_reads_the_log_whole(world: World) -> None:
    world.log.ids += ["shop:1", "shop:2"]
    world.log.scored = 2
    world.catch_up.step()
    assert (world.has("shop:1", "shop:2"), world.catch_up.is_complete) == (True, True)


def test_an_outage_of_the_broker_loses_no_position(world: World) -> None:
    world.log.ids.append("shop:1")
    world.log.scored, world.log.is_reachable = 1, False
    with pytest.raises(ConnectionError):
        world.catch_up.step()
    world.log.is_reachable = True
    world.catch_up.step()
    assert world.has("shop:1")


def test_only_changed_segments_are_written_again(tmp_path: Path) -> None:
    now_ms = [NOON_MS]
    store = IdFilterFolder(tmp_path)
    known = KnownIds(IdFilter(MAX_BYTES), CountedLookup(), lambda: now_ms[0])
    covered = LogPositions({0: 1}, {0: 2})
    known.add(["day:1"])
    store.save(known.copied(store.saved_ids), covered)
    known.add(["day:1, later"])
    now_ms[0] += DAY_MS
    known.add(["day:2"])
    assert [bool(one.bits) for one in known.copied(store.saved_ids)] == [True, True]
    store.save(known.copied(store.saved_ids), covered)
    known.add(["day:2, later"])
    assert [bool(one.bits) for one in known.copied(store.saved_ids)] == [False, True]
    store.save(known.copied(store.saved_ids), covered)
    segments, again = IdFilterFolder(tmp_path).load()
    assert again == covered
    every = ["day:1", "day:1, later", "day:2", "day:2, later"]
    assert IdFilter(MAX_BYTES, segments).maybe(every) == every


@pytest.mark.parametrize(
    ("file", "content"),
    [("segment-0.bits", b"12345678"), ("index.json", b"{"), ("index.json", b"")],
)
def test_a_broken_filter_is_built_again(tmp_path: Path, file: str, content: bytes) -> None:
    store = IdFilterFolder(tmp_path)
    known = known_of(CountedLookup())
    known.add(["shop:1"])
    store.save(known.copied(store.saved_ids), LogPositions({0: 1}, {0: 1}))
    (tmp_path / file).write_bytes(content)
    assert IdFilterFolder(tmp_path).load() == ([], None)
    (tmp_path / "segment-0.bits").unlink()
    assert IdFilterFolder(tmp_path).load() == ([], None)
