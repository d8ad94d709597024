from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from prometheus_client import REGISTRY

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.kafka_log.known_topics import ANEW, KnownTopics
from fraudwatch.adapters.kafka_log.topic_check import TopicChanged, TopicLog
from fraudwatch.adapters.memory.tallies import MemoryTallyStore
from fraudwatch.application.console.tallying import Tallying
from fraudwatch.domain.tally import Dimension
from fraudwatch.samples import NOON_MS, a_verdict
from fraudwatch.topics import FRAUD_TOPIC, TRANSACTION_TOPIC
from streaming.tally.loop import TallyLoop
from tests.waiting import eventually

DAY_MS = 86_400_000


@dataclass(frozen=True)
class FakeMessage:
    """A message with the interface of the client's."""

    at_offset: int
    payload: bytes
    produced_at_ms: int = NOON_MS

    def topic(self) -> str:
        return FRAUD_TOPIC

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.at_offset

    def value(self) -> bytes:
        return self.payload

    def timestamp(self) -> tuple[int, int]:
        return 1, self.produced_at_ms

    def error(self) -> None:
        return None


def verdict_at(at_offset: int, source_offset: int, days_ago: int = 0) -> FakeMessage:
    event_at_ms = NOON_MS - days_ago * DAY_MS
    return FakeMessage(
        at_offset, encode(a_verdict(source_offset=source_offset, event_at_ms=event_at_ms))
    )


@dataclass
class ScriptedConsumer:
    """A consumer that returns its batches one by one and records its calls in order."""

    batches: list[list[FakeMessage]]
    on_poll: Callable[[], None] = lambda: None
    on_drained: Callable[[], None] = lambda: None
    calls: list[str] = field(default_factory=list)

    def subscribe(self, topics: list[str], **_: object) -> None:
        assert topics == [FRAUD_TOPIC]

    def consume(self, *_: object, **__: object) -> list[FakeMessage]:
        self.calls.append("consume")
        if not self.batches:
            self.on_drained()
            return []
        return self.batches.pop(0)

    def poll(self, *_: object) -> None:
        self.calls.append("poll")
        self.on_poll()

    def pause(self, *_: object) -> None:
        self.calls.append("pause")

    def resume(self, *_: object) -> None:
        self.calls.append("resume")

    def committed(self, *_: object, **__: object) -> list[TopicPartition]:
        return []

    def assignment(self) -> list[TopicPartition]:
        return [TopicPartition(FRAUD_TOPIC, 0)]

    def commit(self, offsets: list[TopicPartition], *, asynchronous: bool) -> None:
        assert not asynchronous
        self.calls += [f"commit {p.partition} {p.offset}" for p in offsets]


@pytest.fixture
def store() -> MemoryTallyStore:
    return MemoryTallyStore()


def loop_over(
    consumer: ScriptedConsumer, store: MemoryTallyStore, known: KnownTopics | None = None
) -> TallyLoop:
    loop = TallyLoop(
        consumer,  # type: ignore[arg-type]
        Tallying(store),
        lambda: NOON_MS + 2_500,
        max_records=10,
        poll_seconds=0.0,
        known=known,
    )
    consumer.on_drained = loop.stopping.set
    return loop


def metric(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0.0


def purchases(store: MemoryTallyStore, day: str = "2026-01-15") -> int:
    counts = store.load(day, 0).rows.get((Dimension.ALL, ""))
    return counts.purchases if counts else 0


def count_in(folder: Path, store: MemoryTallyStore, topic_id: str, *messages: FakeMessage) -> None:
    """Count as a process of its own, over a broker whose topics have this id."""

    def look_up(topic: str) -> TopicLog:
        return TopicLog(topic, topic_id, {0: 0}, {0: 10_000})

    known = KnownTopics(folder, "tally", look_up)
    loop_over(ScriptedConsumer([list(messages)]), store, known).run()


def test_purchases_of_a_topic_made_anew_are_counted_from_its_first_offset(
    store: MemoryTallyStore, tmp_path: Path
) -> None:
    count_in(tmp_path, store, "old", verdict_at(0, 70), verdict_at(1, 71))
    with pytest.raises(TopicChanged, match=r"transaction_topic was made anew.*write the word anew"):
        count_in(tmp_path, store, "new", verdict_at(0, 0))
    for topic in (TRANSACTION_TOPIC, FRAUD_TOPIC):
        (tmp_path / f"{topic}.json").write_text(ANEW)
    count_in(tmp_path, store, "new", verdict_at(0, 0), verdict_at(1, 71), verdict_at(2, 71))
    assert purchases(store) == 4
    count_in(tmp_path, store, "new", verdict_at(1, 71), verdict_at(3, 72))
    assert purchases(store) == 5


def test_a_read_is_saved_once_and_then_committed(store: MemoryTallyStore) -> None:
    consumer = ScriptedConsumer([[verdict_at(7, 1), verdict_at(8, 2)], [verdict_at(9, 3)]])
    loop_over(consumer, store).run()
    assert purchases(store) == 3
    assert store.saves == 2
    assert [call for call in consumer.calls if call.startswith("commit")] == [
        "commit 0 9",
        "commit 0 10",
    ]
    assert metric("fraudwatch_tally_counted_until_seconds") == NOON_MS / 1_000


def test_copies_and_undecodable_messages_are_skipped(store: MemoryTallyStore) -> None:
    names = [f"fraudwatch_tally_{name}_total" for name in ("verdicts", "copies", "unreadable")]
    before = [metric(name) for name in names]
    bad = [
        FakeMessage(3, b"garbage"),
        FakeMessage(4, encode(a_verdict(source_offset=9, score=7.0))),
        FakeMessage(5, encode(a_verdict(source_offset=9, event_at_ms=10**17))),
    ]
    consumer = ScriptedConsumer([[verdict_at(1, 4), verdict_at(2, 4), *bad, verdict_at(6, 5)]])
    loop_over(consumer, store).run()
    assert [metric(name) - was for name, was in zip(names, before, strict=True)] == [2, 1, 3]
    assert purchases(store) == 2
    assert "commit 0 7" in consumer.calls


def test_while_the_store_is_unavailable_it_pauses_and_then_counts_everything_once(
    store: MemoryTallyStore,
) -> None:
    def come_back() -> None:
        lags.append(metric("fraudwatch_tally_lag_seconds"))
        store.is_reachable = True

    lags: list[float] = []
    # The second verdict is of another day, so the store is queried in the middle of the read.
    consumer = ScriptedConsumer(
        [[verdict_at(1, 1)], [verdict_at(2, 2), verdict_at(3, 3, days_ago=1)]], come_back
    )
    loop = loop_over(consumer, store)

    def go_away() -> list[FakeMessage]:
        store.is_reachable = False
        return ScriptedConsumer.consume(consumer)

    verdicts = metric("fraudwatch_tally_verdicts_total")
    thread = threading.Thread(target=loop.run)
    consumer.consume = lambda *_, **__: go_away()  # type: ignore[method-assign]
    thread.start()
    eventually(loop.stopping.is_set, within_seconds=10, what="reading everything")
    thread.join(10)
    store.is_reachable = True
    assert (purchases(store), purchases(store, "2026-01-14")) == (2, 1)
    assert metric("fraudwatch_tally_verdicts_total") - verdicts == 3
    assert list(dict.fromkeys(consumer.calls))[:5] == [
        "consume",
        "pause",
        "poll",
        "resume",
        "commit 0 2",
    ]
    assert lags[0] == 2.5
    assert (metric("fraudwatch_tally_lag_seconds"), metric("fraudwatch_tally_paused")) == (0, 0)


def test_stopped_while_the_store_is_unavailable_it_ends_without_committing(
    store: MemoryTallyStore,
) -> None:
    consumer = ScriptedConsumer([[verdict_at(1, 1)]])
    loop = loop_over(consumer, store)
    consumer.on_poll = loop.stopping.set
    store.is_reachable = False
    loop.run()
    assert not [call for call in consumer.calls if call.startswith("commit")]
