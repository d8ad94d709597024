from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import OFFSET_INVALID, TopicPartition

from fraudwatch.adapters.kafka_log import consumer_group
from fraudwatch.adapters.kafka_log.consumer_group import GroupReader
from fraudwatch.adapters.kafka_log.known_topics import ANEW, KnownTopics
from fraudwatch.adapters.kafka_log.positions import BrokerUnavailable
from fraudwatch.adapters.kafka_log.topic_check import (
    TopicChanged,
    TopicLog,
    check_positions,
    check_topic_id,
)
from fraudwatch.observability.metrics import gauge
from fraudwatch.topics import FRAUD_TOPIC, LABELS_TOPIC

OLD, NEW = "old-topic-id", "new-topic-id"


def a_log(
    topic_id: str = OLD, *, ends: Mapping[int, int] | None = None, start: int = 0
) -> TopicLog:
    ends = ends or {0: 100, 1: 50}
    return TopicLog(FRAUD_TOPIC, topic_id, dict.fromkeys(ends, start), ends)


@pytest.mark.parametrize("position", [0, 99, 100])
def test_a_position_up_to_the_end_is_one_of_the_log(position: int) -> None:
    check_positions(a_log(), {0: position}, reader="persister", cure="do x")


@pytest.mark.parametrize(
    ("positions", "text"),
    [
        ({0: 101}, "fraud_topic-0 ends at offset 100, and persister continues at 101"),
        ({0: 100, 1: 51}, "fraud_topic-1 ends at offset 50, and persister continues at 51"),
        ({2: 1}, "fraud_topic-2 ends at offset 0, and persister continues at 1"),
    ],
)
def test_a_position_beyond_the_end_is_refused_with_the_fix(
    positions: dict[int, int], text: str
) -> None:
    with pytest.raises(TopicChanged, match=rf"{text}: the broker lost.*nothing was read; do x"):
        check_positions(a_log(), positions, reader="persister", cure="do x")


def test_a_position_that_retention_removed_is_refused() -> None:
    check_positions(a_log(start=40), {0: 40, 1: 40}, reader="persister", cure="do x")
    with pytest.raises(TopicChanged, match=r"begins at offset 40, and persister continues at 39"):
        check_positions(a_log(start=40), {0: 39}, reader="persister", cure="do x")


def test_another_id_is_refused_whatever_the_length_of_the_topic() -> None:
    check_topic_id(a_log(), None, reader="tally", cure="do x")
    check_topic_id(a_log(), OLD, reader="tally", cure="do x")
    with pytest.raises(TopicChanged, match=r"made anew: its id is new-topic-id.*do x"):
        check_topic_id(a_log(NEW, ends={0: 10**9}), OLD, reader="tally", cure="do x")


@dataclass
class Group:
    """A group's memory over a broker whose topic the test changes."""

    folder: Path
    log: TopicLog = field(default_factory=a_log)
    committed: dict[int, int] = field(default_factory=dict)

    def positions(self, topic: str, partitions: Iterable[int]) -> dict[int, int]:
        assert topic == FRAUD_TOPIC
        return {number: at for number, at in self.committed.items() if number in set(partitions)}

    def start(self) -> KnownTopics:
        """Start the group's process: nothing but files is left of an earlier one."""
        known = KnownTopics(self.folder, "tally", lambda _: self.log)
        known.check(FRAUD_TOPIC, self.positions)
        return known

    @property
    def file(self) -> Path:
        return self.folder / f"{FRAUD_TOPIC}.json"


@pytest.fixture
def group(tmp_path: Path) -> Group:
    return Group(tmp_path / "topics")


def test_a_group_of_before_remembers_its_topic_and_continues(group: Group) -> None:
    group.committed = {0: 70}
    assert not group.start().is_anew(FRAUD_TOPIC, 0)
    assert json.loads(group.file.read_text()) == {"topic_id": OLD, ANEW: []}
    group.start()


@pytest.mark.parametrize("ends", [{0: 3, 1: 3}, {0: 10_000, 1: 10_000}])
def test_a_topic_made_anew_stops_the_group_until_an_operator_accepts_it(
    group: Group, ends: dict[int, int]
) -> None:
    group.committed = {0: 70, 1: 20}
    group.start()
    group.log = a_log(NEW, ends=ends)
    for _ in range(2):  # a restart does not help
        with pytest.raises(TopicChanged, match=r"made anew.*anew into .*fraud_topic\.json"):
            group.start()
    group.file.write_text("anew\n")
    known = group.start()
    assert known.is_anew(FRAUD_TOPIC, 0)
    assert known.is_anew(FRAUD_TOPIC, 1)


def test_offsets_of_the_old_topic_count_no_more_until_new_ones_are_committed(
    group: Group,
) -> None:
    group.committed = {0: 70, 1: 20}
    group.start()
    group.log = a_log(NEW, ends={0: 5, 1: 5})
    group.file.write_text(ANEW)
    known = group.start()
    known.committed([(FRAUD_TOPIC, 0)])
    assert not known.is_anew(FRAUD_TOPIC, 0)
    group.committed = {0: 4, 1: 20}
    known = group.start()  # partition 1 still has its old position, beyond the new end
    assert not known.is_anew(FRAUD_TOPIC, 0)
    assert known.is_anew(FRAUD_TOPIC, 1)
    known.committed([(FRAUD_TOPIC, 1)])
    with pytest.raises(TopicChanged, match="fraud_topic-1 ends at offset 5"):
        group.start()


def test_a_damaged_file_is_no_first_start(group: Group) -> None:
    group.start()
    group.file.write_text('{"topic_id"')
    with pytest.raises(TopicChanged, match="is damaged"):
        group.start()


def test_what_retention_removed_is_refused_with_the_command_that_refills_it(
    group: Group,
) -> None:
    group.committed = {0: 30, 1: 45}
    group.start()
    group.log = a_log(start=40)
    known = KnownTopics(group.folder, "tally", lambda _: group.log, refill="./fraudwatch refill")
    text = r"fraud_topic-0 begins at offset 40.*with ./fraudwatch refill fraud_topic, and tally"
    with pytest.raises(TopicChanged, match=text):
        known.check(FRAUD_TOPIC, group.positions)
    assert known.positions(FRAUD_TOPIC, group.positions) == {0: 30, 1: 45}
    known.continue_at(FRAUD_TOPIC, {0: 40})
    after = group.start()
    assert [after.start_of(FRAUD_TOPIC, number) for number in (0, 1)] == [40, None]
    group.log = a_log(start=42)  # more was removed before the group went on
    with pytest.raises(TopicChanged, match="continues at 40"):
        group.start()
    assert after.positions(FRAUD_TOPIC, group.positions) == {0: 40, 1: 45}


def test_a_position_that_was_moved_counts_until_the_group_commits(group: Group) -> None:
    group.committed = {0: 30}
    group.start()
    group.log = a_log(start=40)
    other = KnownTopics(group.folder, "tally", lambda _: group.log)  # in a process of its own
    other.continue_at(FRAUD_TOPIC, {0: 40})
    known = group.start()
    broker = Broker({0: 30})
    running = reader(broker, known)
    running.subscribe([FRAUD_TOPIC])
    assert broker.started == {0: 40, 1: 2}
    running.commit([a_message(40)])
    group.committed = {0: 41}
    assert group.start().start_of(FRAUD_TOPIC, 0) is None
    assert json.loads(group.file.read_text()) == {"topic_id": OLD, ANEW: []}


def test_the_position_of_a_topic_that_was_never_read_cannot_be_moved(group: Group) -> None:
    with pytest.raises(TopicChanged, match=r"does not exist.*start tally"):
        KnownTopics(group.folder, "tally", lambda _: group.log).continue_at(FRAUD_TOPIC, {0: 4})


def test_no_position_is_lost_in_a_topic_made_anew(group: Group) -> None:
    group.committed = {0: 30}
    known = group.start()
    group.log = a_log(NEW, start=40)
    with pytest.raises(TopicChanged, match="made anew"):
        known.positions(FRAUD_TOPIC, group.positions)
    group.file.write_text(ANEW)
    assert known.positions(FRAUD_TOPIC, group.positions) == {}


@dataclass
class Broker:
    """A consumer whose group has committed offsets, and the assignment that follows."""

    committed_offsets: dict[int, int]
    started: dict[int, int] = field(default_factory=dict)
    committed_now: dict[int, int] = field(default_factory=dict)

    def committed(self, asked: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        assert timeout > 0
        return [
            TopicPartition(
                one.topic, one.partition, self.committed_offsets.get(one.partition, OFFSET_INVALID)
            )
            for one in asked
        ]

    def get_watermark_offsets(self, _: TopicPartition, timeout: float) -> tuple[int, int]:
        assert timeout > 0
        return 2, 50

    def subscribe(self, topics: list[str], on_assign: Callable[[Any, Any], None]) -> None:
        on_assign(self, [TopicPartition(topics[0], number) for number in (0, 1)])

    def incremental_assign(self, partitions: list[TopicPartition]) -> None:
        self.started |= {one.partition: one.offset for one in partitions}

    def assignment(self) -> list[TopicPartition]:
        return [TopicPartition(FRAUD_TOPIC, number) for number in self.started]

    def commit(self, offsets: list[TopicPartition], *, asynchronous: bool) -> None:
        assert not asynchronous
        self.committed_now |= {one.partition: one.offset for one in offsets}


def reader(broker: Broker, known: KnownTopics) -> GroupReader:
    return GroupReader(broker, gauge("fraudwatch_tally_paused"), known=known)  # type: ignore[arg-type]


def a_message(offset: int) -> Any:
    return SimpleNamespace(topic=lambda: FRAUD_TOPIC, partition=lambda: 0, offset=lambda: offset)


def test_a_reader_starts_at_its_offsets_or_at_the_start_of_an_accepted_topic(
    tmp_path: Path,
) -> None:
    known = KnownTopics(tmp_path, "tally", lambda _: a_log(start=2))
    broker = Broker({0: 30})
    reader(broker, known).subscribe([FRAUD_TOPIC])
    assert broker.started == {0: 30, 1: 2}
    (tmp_path / f"{FRAUD_TOPIC}.json").write_text(ANEW)
    known = KnownTopics(tmp_path, "tally", lambda _: a_log(NEW, start=2))
    broker = Broker({0: 300})
    accepted = reader(broker, known)
    accepted.subscribe([FRAUD_TOPIC])
    assert broker.started == {0: 2, 1: 2}
    accepted.commit([a_message(9)])
    assert broker.committed_now == {0: 10}
    assert [known.is_anew(FRAUD_TOPIC, number) for number in (0, 1)] == [False, True]


def test_a_reader_beyond_the_end_consumes_nothing(tmp_path: Path) -> None:
    broker = Broker({0: 101})
    with pytest.raises(TopicChanged, match="fraud_topic-0 ends at offset 100"):
        reader(broker, KnownTopics(tmp_path, "tally", lambda _: a_log())).subscribe([FRAUD_TOPIC])
    assert broker.started == {}


def test_a_related_topic_is_checked_and_not_read(tmp_path: Path) -> None:
    logs = {FRAUD_TOPIC: a_log(), LABELS_TOPIC: a_log()._replace(topic=LABELS_TOPIC)}
    known = KnownTopics(tmp_path, "tally", logs.__getitem__)
    reader(Broker({}), known).subscribe([FRAUD_TOPIC], related=[LABELS_TOPIC])
    logs[LABELS_TOPIC] = logs[LABELS_TOPIC]._replace(topic_id=NEW)
    broker = Broker({})
    with pytest.raises(TopicChanged, match="labels_topic was made anew"):
        reader(broker, KnownTopics(tmp_path, "tally", logs.__getitem__)).subscribe(
            [FRAUD_TOPIC], related=[LABELS_TOPIC]
        )
    assert broker.started == {}


def test_a_broker_that_is_away_is_waited_for(tmp_path: Path) -> None:
    answers: list[TopicLog | None] = [None, a_log()]

    def look_up(_: str) -> TopicLog:
        found = answers.pop(0)
        if found is None:
            raise BrokerUnavailable("away")
        return found

    broker = Broker({})
    reader(broker, KnownTopics(tmp_path, "tally", look_up)).subscribe([FRAUD_TOPIC])
    assert broker.started == {0: 2, 1: 2}


@dataclass
class Subscriptions(Broker):
    """A consumer whose subscriptions are recorded."""

    subscribed: list[list[str]] = field(default_factory=list)

    def subscribe(self, topics: list[str], on_assign: Callable[[Any, Any], None]) -> None:
        assert on_assign is not None
        self.subscribed.append(topics)

    def consume(self, *_: object, **__: object) -> list[Any]:
        return []


def test_a_refused_topic_stops_no_other_and_is_read_once_it_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = {FRAUD_TOPIC: a_log(), LABELS_TOPIC: a_log()._replace(topic=LABELS_TOPIC)}
    KnownTopics(tmp_path, "persister", logs.__getitem__).check(LABELS_TOPIC, lambda *_: {})
    logs[LABELS_TOPIC] = logs[LABELS_TOPIC]._replace(topic_id=NEW)
    broker, refused = Subscriptions({}), dict[str, bool]()
    persister = reader(broker, KnownTopics(tmp_path, "persister", logs.__getitem__))
    persister.subscribe([FRAUD_TOPIC, LABELS_TOPIC], on_refused=refused.__setitem__)
    assert broker.subscribed == [[FRAUD_TOPIC]]
    assert refused == {FRAUD_TOPIC: False, LABELS_TOPIC: True}
    monkeypatch.setattr(consumer_group, "RECHECK_SECONDS", 0.0)
    persister._recheck_at = 0.0  # half a minute later
    persister.read(1)
    assert broker.subscribed == [[FRAUD_TOPIC]], "still refused"
    (tmp_path / f"{LABELS_TOPIC}.json").write_text(ANEW)
    persister.read(1)
    persister.read(1)
    assert broker.subscribed == [[FRAUD_TOPIC], [FRAUD_TOPIC, LABELS_TOPIC]]
    assert refused == {FRAUD_TOPIC: False, LABELS_TOPIC: False}


def test_a_reader_whose_topics_are_all_refused_ends(tmp_path: Path) -> None:
    KnownTopics(tmp_path, "persister", lambda _: a_log()).check(FRAUD_TOPIC, lambda *_: {})
    broker = Subscriptions({})
    known = KnownTopics(tmp_path, "persister", lambda _: a_log(NEW))
    with pytest.raises(TopicChanged, match="made anew"):
        reader(broker, known).subscribe([FRAUD_TOPIC], on_refused=lambda *_: None)
    assert broker.subscribed == []
