from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from fraudwatch.adapters.codecs.snapshot_manifests import least_covered
from fraudwatch.adapters.codecs.state_snapshots import Covered, SnapshotFolder
from fraudwatch.adapters.kafka_log.positions import BrokerUnavailable, Partition, TimedOffset
from fraudwatch.domain.disk_guard import (
    AGES_MS,
    DiskLimits,
    DiskPressure,
    deletable_before,
)
from fraudwatch.domain.time_units import HOUR_MS
from fraudwatch.stack import topic_contracts
from fraudwatch.stack.home import ROOT
from fraudwatch.topics import FEATURE_TOPIC, FRAUD_TOPIC, TRANSACTION_TOPIC
from streaming.log_guard.guard import READERS, LogGuard

GIB = 1 << 30
LIMITS = DiskLimits(delete_below_bytes=4 * GIB, slow_below_bytes=2 * GIB, refuse_below_bytes=GIB)
STEP_MS = 100_000
MESSAGES = 1_000  # of each topic, one an hour


@pytest.mark.parametrize(
    ("free_gib", "pressure"),
    [
        (4.0, DiskPressure.NONE),
        (3.9, DiskPressure.DELETE),
        (1.9, DiskPressure.SLOW),
        (0.9, DiskPressure.REFUSE),
    ],
)
def test_the_less_space_the_more_pressure(free_gib: float, pressure: DiskPressure) -> None:
    assert LIMITS.pressure(int(free_gib * GIB)) is pressure


def test_limits_in_another_order_are_refused() -> None:
    with pytest.raises(ValueError, match="DISK_DELETE_BELOW_GIB"):
        DiskLimits(delete_below_bytes=1, slow_below_bytes=2, refuse_below_bytes=0)


def test_what_one_reader_lacks_is_never_deletable() -> None:
    starts, old = {0: 10, 1: 10}, {0: 90, 1: 90}
    assert deletable_before(starts, [{0: 50, 1: 95}, {0: 60, 1: 99}], old) == {0: 50, 1: 90}
    assert deletable_before(starts, [{0: 50, 1: 95}, {0: 60}], old) == {0: 50}
    assert deletable_before(starts, [{0: 50, 1: 95}, None], old) == {}
    assert deletable_before(starts, [{0: 10, 1: 9}], old) == {}
    assert deletable_before(starts, [], old) == {}, "without a reader nothing is known to be read"


@dataclass
class Broker:
    """Topics of one partition, with one message an hour, and everything committed."""

    now_ms: int = MESSAGES * HOUR_MS
    first: dict[str, int] = field(default_factory=lambda: dict.fromkeys(READERS, 0))
    is_away: bool = False
    groups: dict[str, dict[Partition, int]] = field(
        default_factory=lambda: {
            group: {Partition(topic, 0): MESSAGES for topic in READERS}
            for group in {group for groups in READERS.values() for group in groups}
        }
    )

    def partitions(self) -> list[Partition]:
        return [Partition(topic, 0) for topic in self.first]

    def starts(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        return {one: self.first[one.topic] for one in partitions}

    def ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        return dict.fromkeys(partitions, MESSAGES)

    def first_since(self, times_ms: Mapping[Partition, int]) -> dict[Partition, TimedOffset | None]:
        return {
            one: TimedOffset(at // HOUR_MS, at) if at // HOUR_MS < MESSAGES else None
            for one, at in times_ms.items()
        }

    def committed(self) -> dict[str, dict[Partition, int]]:
        if self.is_away:
            raise BrokerUnavailable("away")
        return self.groups

    def delete_before(self, topic: str, offsets: Mapping[int, int]) -> None:
        self.first[topic] = offsets[0]


@dataclass
class World:
    """A guard over a disk whose free space the test sets."""

    broker: Broker = field(default_factory=Broker)
    free: int = 10 * GIB
    snapshot: dict[int, int] | None = field(default_factory=lambda: {0: MESSAGES})
    now_ms: int = MESSAGES * HOUR_MS

    def guard(self, *, needs_archive: bool = True) -> LogGuard:
        return LogGuard(
            broker=self.broker,
            delete_before=self.broker.delete_before,
            snapshots=lambda: self.snapshot,
            free_bytes=lambda: self.free,
            now_ms=lambda: self.now_ms,
            limits=LIMITS,
            step_ms=STEP_MS,
            needs_archive=needs_archive,
        )


@pytest.fixture
def world() -> World:
    return World()


def test_with_enough_space_nothing_is_deleted(world: World) -> None:
    assert world.guard().check() is DiskPressure.NONE
    assert set(world.broker.first.values()) == {0}


def test_the_oldest_goes_first_and_a_step_more_while_the_disk_stays_full(world: World) -> None:
    guard, kept_hours = world.guard(), []
    world.free = GIB // 2
    for _ in range(len(AGES_MS) + 1):
        assert guard.check() is DiskPressure.REFUSE
        kept_hours.append(MESSAGES - world.broker.first[FRAUD_TOPIC])
        guard.check()  # before the step's time is over
        assert kept_hours[-1] == MESSAGES - world.broker.first[FRAUD_TOPIC]
        world.now_ms += STEP_MS
    assert kept_hours[:5] == [14 * 24, 7 * 24, 3 * 24, 24, 6]
    assert kept_hours[-1] == 0
    assert set(world.broker.first.values()) == {MESSAGES}


def test_with_space_again_the_next_trouble_begins_with_the_oldest(world: World) -> None:
    guard = world.guard()
    world.free = GIB
    guard.check()
    world.now_ms += STEP_MS
    world.free = 10 * GIB
    guard.check()
    world.broker.first = dict.fromkeys(READERS, 0)
    world.free = GIB
    guard.check()
    assert world.broker.first[FRAUD_TOPIC] == MESSAGES - 14 * 24


def test_what_a_reader_a_snapshot_or_the_archive_lacks_stays(world: World) -> None:
    world.broker.groups["webhooks"] = {}
    world.broker.groups["archiver"][Partition(FEATURE_TOPIC, 0)] = 7
    world.snapshot = {0: 9}
    world.free = 0
    guard = world.guard()
    for _ in AGES_MS:
        guard.check()
        world.now_ms += STEP_MS
    assert world.broker.first == {TRANSACTION_TOPIC: 9, FRAUD_TOPIC: 0, FEATURE_TOPIC: 7}
    world.snapshot = None
    world.broker.first[TRANSACTION_TOPIC] = 0
    guard.check()
    assert world.broker.first[TRANSACTION_TOPIC] == 0


def test_without_a_lake_the_services_decide_and_vectors_stay(world: World) -> None:
    world.broker.groups.pop("archiver")
    world.free = 0
    world.guard().check()
    assert set(world.broker.first.values()) == {0}
    world.guard(needs_archive=False).check()
    assert world.broker.first[FRAUD_TOPIC] == world.broker.first[TRANSACTION_TOPIC] > 0
    assert world.broker.first[FEATURE_TOPIC] == 0


def test_the_same_step_is_tried_again_when_the_broker_was_away(world: World) -> None:
    guard, world.free, world.broker.is_away = world.guard(), 0, True
    with pytest.raises(BrokerUnavailable):
        guard.check()
    assert REGISTRY.get_sample_value("fraudwatch_log_guard_pressure") == DiskPressure.REFUSE
    world.broker.is_away = False
    guard.check()
    assert world.broker.first[FRAUD_TOPIC] == MESSAGES - 14 * 24


def test_all_snapshots_count_because_any_may_be_restored(tmp_path: Path) -> None:
    assert least_covered(tmp_path) is None
    folder = SnapshotFolder(tmp_path)
    folder.write([], Covered("v1", {0: 10, 1: 40}, 1))
    folder.write([], Covered("v1", {0: 30, 1: 50}, 2))
    assert least_covered(tmp_path) == {0: 10, 1: 40}
    (tmp_path / "damaged.manifest").write_text(json.dumps({"ends": {"0": 99}}))
    assert deletable_before({0: 0, 1: 0}, [least_covered(tmp_path)], {0: 99, 1: 99}) == {}


def test_the_guard_waits_for_every_reader_that_keeps_a_position() -> None:
    contracts = {one.name: one for one in topic_contracts.read(ROOT / "contracts/topics")}
    assert {name for name, one in contracts.items() if one.deleted_by} == set(READERS)
    assert {one.deleted_by for one in contracts.values()} == {(), ("log_guard",)}
    # The detector's position is that of its snapshots. The others read what is there.
    without_group = {"detector", "shadow", "rest_api", "ingest", "trainer"}
    for topic, groups in READERS.items():
        assert set(groups) == set(contracts[topic].consumers) - without_group
