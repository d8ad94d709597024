from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from confluent_kafka import TopicPartition
from prometheus_client import REGISTRY

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.memory.verdict_store import MemoryDeadLetters, MemoryVerdictStore
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.messages.audit import AUDIT_SCHEMA, AuditAction, AuditRecord
from fraudwatch.domain.messages.dead_letter import Code
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.messages.transaction import Kind
from fraudwatch.samples import NOON_MS, a_refund, a_token, a_transaction, a_verdict
from fraudwatch.topics import (
    AUDIT_TOPIC,
    FRAUD_TOPIC,
    LABELS_TOPIC,
    PRODUCED_AT_HEADER,
    TRANSACTION_TOPIC,
)
from streaming.persister.entries import Entry, read
from streaming.persister.loop import InFlight, PersisterLoop
from streaming.persister.writing import Persister
from tests.waiting import eventually

LABEL = Label(
    schema=LABEL_SCHEMA,
    transaction_id="shop:1",
    verdict=LabelValue.FRAUD,
    source=Source.ANALYST,
    by="a.moreno",
    known_at_ms=NOON_MS,
)


PARTS = ("count", "sum")
RECORD = AuditRecord(
    schema=AUDIT_SCHEMA,
    record_id="0" * 32,
    at_ms=NOON_MS,
    deed=AuditAction.REVEALED,
    by="lead",
    reason="the customer calls",
)


@dataclass(frozen=True)
class FakeMessage:
    """A message with the interface of the client's."""

    topic_name: str
    payload: bytes
    at_offset: int = 0
    produced_at_ms: int = NOON_MS

    def topic(self) -> str:
        return self.topic_name

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.at_offset

    def value(self) -> bytes:
        return self.payload

    def headers(self) -> None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return 1, self.produced_at_ms

    def error(self) -> None:
        return None


def entries(*messages: FakeMessage) -> list[Entry]:
    return [read(message) for message in messages]  # type: ignore[arg-type]


@pytest.fixture
def store() -> MemoryVerdictStore:
    return MemoryVerdictStore()


@pytest.fixture
def dead_letters() -> MemoryDeadLetters:
    return MemoryDeadLetters()


@pytest.fixture
def persister(store: MemoryVerdictStore, dead_letters: MemoryDeadLetters) -> Persister:
    return Persister(store, dead_letters, lambda: NOON_MS)


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_every_topic_becomes_rows(persister: Persister, store: MemoryVerdictStore) -> None:
    persister.persist(
        entries(
            FakeMessage(FRAUD_TOPIC, encode(a_verdict(transaction_id="shop:1"))),
            FakeMessage(TRANSACTION_TOPIC, encode(a_transaction(transaction_id="shop:2"))),
            FakeMessage(LABELS_TOPIC, encode(LABEL)),
            FakeMessage(AUDIT_TOPIC, encode(RECORD)),
        )
    )
    assert set(store.verdicts) == {"shop:1"}
    assert set(store.transactions) == {(a_token("a"), NOON_MS, "shop:2")}
    assert store.labels_of("shop:1") == [LABEL]
    assert store.records() == [RECORD]


def test_undecodable_messages_are_dead_lettered_and_the_rest_written(
    persister: Persister, store: MemoryVerdictStore, dead_letters: MemoryDeadLetters
) -> None:
    persister.persist(
        entries(
            FakeMessage(FRAUD_TOPIC, b"garbage", 5),
            FakeMessage(TRANSACTION_TOPIC, encode(a_transaction()), 6),
        )
    )
    assert list(dead_letters.records) == ["fraud_topic-0-5"]
    assert len(store.transactions) == 1


@pytest.mark.parametrize(
    ("topic", "malformed"),
    [
        (LABELS_TOPIC, encode(LABEL).replace(b"a.moreno", b"")),
        (AUDIT_TOPIC, encode(RECORD).replace(b"0" * 32, b"0")),
        (TRANSACTION_TOPIC, encode(a_transaction(event_at_ms=10**16))),
    ],
)
def test_messages_out_of_bounds_are_dead_lettered(
    persister: Persister, dead_letters: MemoryDeadLetters, topic: str, malformed: bytes
) -> None:
    persister.persist(entries(FakeMessage(topic, malformed)))
    assert [record.code for record in dead_letters.records.values()] == [Code.OUT_OF_BOUNDS]


def test_a_refund_is_a_row_of_its_own_and_no_purchase(
    persister: Persister, store: MemoryVerdictStore, dead_letters: MemoryDeadLetters
) -> None:
    rows = metric("fraudwatch_persister_rows_total", topic=TRANSACTION_TOPIC)
    persister.persist(
        entries(
            FakeMessage(TRANSACTION_TOPIC, encode(a_refund()), 1),
            FakeMessage(TRANSACTION_TOPIC, encode(a_transaction()), 2),
            FakeMessage(TRANSACTION_TOPIC, encode(a_refund(amount_minor=0)), 3),
        )
    )
    assert [name for _, _, name in store.transactions] == ["shop:1"]
    assert store.refunds() == [a_refund()]
    assert metric("fraudwatch_persister_rows_total", topic=TRANSACTION_TOPIC) == rows + 2
    assert {o: x.code for o, x in dead_letters.records.items()} == {
        "transaction_topic-0-3": Code.OUT_OF_BOUNDS
    }


def test_only_refused_rows_are_dead_lettered(
    persister: Persister, store: MemoryVerdictStore, dead_letters: MemoryDeadLetters
) -> None:
    persister.persist(
        entries(
            FakeMessage(FRAUD_TOPIC, encode(a_verdict(transaction_id="")), 1),
            FakeMessage(FRAUD_TOPIC, encode(a_verdict(transaction_id="shop:2")), 2),
            FakeMessage(TRANSACTION_TOPIC, encode(a_transaction(kind=Kind.ERASE)), 3),
            # The verdict of the same purchase is written: only its envelope is refused.
            FakeMessage(FRAUD_TOPIC, encode(a_verdict(transaction_id="shop:1")), 4),
        )
    )
    assert {o: x.code for o, x in dead_letters.records.items()} == {
        "fraud_topic-0-1": Code.ROW_REFUSED,
        "transaction_topic-0-3": Code.ROW_REFUSED,
    }
    assert set(store.verdicts) == {"shop:1", "shop:2"}


def test_an_unavailable_store_loses_nothing(
    persister: Persister, store: MemoryVerdictStore, dead_letters: MemoryDeadLetters
) -> None:
    batch = entries(
        FakeMessage(FRAUD_TOPIC, encode(a_verdict())), FakeMessage(FRAUD_TOPIC, b"garbage", 1)
    )
    store.is_reachable = False
    with pytest.raises(StoreUnavailable):
        persister.persist(batch)
    store.is_reachable = True
    persister.persist(batch)
    assert (len(store.verdicts), len(dead_letters.records)) == (1, 1)


@dataclass
class ScriptedConsumer:
    """A consumer that returns one batch and records its calls in order."""

    batch: list[FakeMessage]
    on_poll: Callable[[], None]
    calls: list[str]

    def subscribe(self, topics: list[str], **_: object) -> None:
        assert set(topics) == {TRANSACTION_TOPIC, FRAUD_TOPIC, LABELS_TOPIC, AUDIT_TOPIC}

    def consume(self, *_: object, **__: object) -> list[FakeMessage]:
        batch_once, self.batch = self.batch, []
        self.calls.append("consume")
        return batch_once

    def poll(self, *_: object) -> None:
        self.calls.append("poll")
        self.on_poll()

    def pause(self, *_: object) -> None:
        self.calls.append("pause")

    def resume(self, *_: object) -> None:
        self.calls.append("resume")

    def assignment(self) -> list[TopicPartition]:
        return [TopicPartition(FRAUD_TOPIC, 0)]

    def commit(self, offsets: list[TopicPartition], *, asynchronous: bool) -> None:
        assert not asynchronous
        self.calls += [f"commit {p.topic}-{p.partition} {p.offset}" for p in offsets]


def test_nothing_is_committed_before_it_is_written_and_polling_never_stops(
    persister: Persister, store: MemoryVerdictStore
) -> None:
    def come_back() -> None:
        store.is_reachable = True

    consumer = ScriptedConsumer([FakeMessage(FRAUD_TOPIC, encode(a_verdict()), 41)], come_back, [])
    loop = PersisterLoop(consumer, persister, 10)  # type: ignore[arg-type]
    store.is_reachable = False
    paused_before = metric("fraudwatch_persister_seconds_total", phase="resting")
    thread = threading.Thread(target=loop.run)
    thread.start()
    eventually(lambda: "resume" in consumer.calls, within_seconds=10, what="reading again")
    loop.stopping.set()
    thread.join(10)
    assert list(dict.fromkeys(consumer.calls)) == [
        "consume",
        "pause",
        "poll",
        "resume",
        "commit fraud_topic-0 42",
    ]
    assert set(store.verdicts) == {"shop:1"}
    assert metric("fraudwatch_persister_paused") == 0
    assert metric("fraudwatch_persister_seconds_total", phase="resting") > paused_before


def test_stopped_while_the_store_is_unavailable_it_ends_without_committing(
    persister: Persister, store: MemoryVerdictStore
) -> None:
    consumer = ScriptedConsumer(
        [FakeMessage(FRAUD_TOPIC, encode(a_verdict()), 41)], lambda: None, []
    )
    loop = PersisterLoop(consumer, persister, 10)  # type: ignore[arg-type]
    consumer.on_poll = loop.stopping.set
    store.is_reachable = False
    loop.run()
    assert not [call for call in consumer.calls if call.startswith("commit")]


@dataclass(frozen=True)
class AVerdictMessage(FakeMessage):
    """A verdict whose transaction left the edge two seconds before now."""

    def headers(self) -> list[tuple[str, bytes]]:  # type: ignore[override]
        return [(PRODUCED_AT_HEADER, str(NOON_MS - 2_000).encode())]


def test_the_ages_of_a_verdict_at_its_row_are_measured_from_edge_and_topic(
    persister: Persister,
) -> None:
    names = [f"fraudwatch_{start}_to_row_seconds" for start in ("event", "verdict")]
    before = {f"{name}_{part}": metric(f"{name}_{part}") for name in names for part in PARTS}
    persister.persist(
        entries(
            AVerdictMessage(FRAUD_TOPIC, encode(a_verdict()), 1, NOON_MS - 500),
            FakeMessage(TRANSACTION_TOPIC, encode(a_transaction()), 2, NOON_MS - 9_000),
        )
    )
    grown = [metric(name) - was for name, was in before.items()]
    assert grown == [1, 2, 1, 0.5]


def test_lag_is_the_age_of_the_oldest_entry_in_flight_else_zero() -> None:
    now = [NOON_MS]
    in_flight = InFlight(lambda: now[0])
    batch = entries(
        FakeMessage(FRAUD_TOPIC, encode(a_verdict()), 1, NOON_MS - 2_000),
        FakeMessage(FRAUD_TOPIC, encode(a_verdict()), 2, NOON_MS - 1_000),
    )
    in_flight.add(batch)
    now[0] += 500
    assert metric("fraudwatch_persister_lag_seconds", topic=FRAUD_TOPIC) == 2.5
    assert metric("fraudwatch_persister_lag_seconds", topic=LABELS_TOPIC) == 0
    in_flight.clear(batch)
    assert metric("fraudwatch_persister_lag_seconds", topic=FRAUD_TOPIC) == 0
    written_until = metric("fraudwatch_persister_written_until_seconds", topic=FRAUD_TOPIC)
    assert written_until == (NOON_MS - 1_000) / 1_000
