"""Contract of verdict logs: memory twin and real broker."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from fraudwatch.adapters.kafka_log.log import client_config, read_range
from fraudwatch.adapters.kafka_log.verdict_log import KafkaVerdictLog
from fraudwatch.adapters.memory.verdict_store import MemoryVerdictLog
from fraudwatch.application.ports import NotDelivered, ScoredBatch, VerdictLog
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import FEATURES_VERSION_HEADER, PRODUCED_AT_HEADER, TRANSACTION_ID_HEADER

Verdicts = list[tuple[str, bytes, int]]  # key, verdict, produced_at_ms
Features = list[tuple[str, str, bytes, str]]  # key, transaction id, packed vector, version


@dataclass(frozen=True)
class Place:
    """A log under test and what readers of its two topics find."""

    log: VerdictLog
    verdicts: Callable[[], Verdicts]
    features: Callable[[], Features]


def in_memory() -> Place:
    log = MemoryVerdictLog()
    return Place(
        log,
        verdicts=lambda: log.verdicts,
        features=lambda: [
            (*one, version)
            for one, version in zip(log.features, log.features_versions, strict=True)
        ],
    )


def messages_of(settings: KafkaSettings, topic: str) -> list[Message]:
    looking = Consumer(client_config(settings) | {"group.id": "contract"})
    _, end = looking.get_watermark_offsets(TopicPartition(topic, 0), timeout=30)
    looking.close()
    return [message for some in read_range(settings, topic, {0: end}) for message in some]


def header_values(message: Message, *names: str) -> list[str]:
    """The values of exactly these headers, in this order."""
    headers = message.headers() or []
    assert [name for name, _ in headers] == list(names)
    return [value.decode() for _, value in headers if isinstance(value, bytes)]


def key_of(message: Message) -> str:
    key = message.key()
    assert isinstance(key, bytes)
    return key.decode()


def on_kafka(settings: KafkaSettings) -> Iterator[Place]:
    verdict_topic, feature_topic = (f"contract_{uuid.uuid4().hex}" for _ in range(2))
    admin = AdminClient(client_config(settings))
    # One partition each, so that the order of the whole topic is the order of writing.
    new = [NewTopic(name, 1, 1) for name in (verdict_topic, feature_topic)]
    for made in admin.create_topics(new).values():
        made.result()

    def verdicts() -> Verdicts:
        return [
            (key_of(m), m.value() or b"", int(header_values(m, PRODUCED_AT_HEADER)[0]))
            for m in messages_of(settings, verdict_topic)
        ]

    def features() -> Features:
        found = []
        for m in messages_of(settings, feature_topic):
            name, version = header_values(m, TRANSACTION_ID_HEADER, FEATURES_VERSION_HEADER)
            found.append((key_of(m), name, m.value() or b"", version))
        return found

    log = KafkaVerdictLog(settings, verdict_topic=verdict_topic, feature_topic=feature_topic)
    yield Place(log, verdicts, features)
    for gone in admin.delete_topics([verdict_topic, feature_topic]).values():
        gone.result()


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.engines)])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "memory":
        yield in_memory()
    else:
        yield from on_kafka(request.getfixturevalue("stack").kafka("admin"))


def a_batch(*numbers: int, version: str = "v1") -> ScoredBatch:
    """Judged transactions of two customers in turn; each number is in every column of its row."""
    return ScoredBatch(
        customer_tokens=[("anna", "berta")[n % 2] for n in numbers],
        transaction_ids=[f"shop:{n}" for n in numbers],
        verdicts=[b"verdict %d" % n for n in numbers],
        # What a vector is: bytes that are no text.
        features=[b"\x00\xff\xc0" + bytes([n]) for n in numbers],
        produced_at_ms=[1_000 + n for n in numbers],
        features_version=version,
    )


def test_verdicts_arrive_in_order_with_key_and_time(place: Place) -> None:
    place.log.append(a_batch(3, 1, 2))
    assert place.verdicts() == [
        ("berta", b"verdict 3", 1_003),
        ("berta", b"verdict 1", 1_001),
        ("anna", b"verdict 2", 1_002),
    ]


def test_features_arrive_in_the_same_order_with_transaction_and_version(place: Place) -> None:
    place.log.append(a_batch(3, 1, 2))
    assert place.features() == [
        ("berta", "shop:3", b"\x00\xff\xc0\x03", "v1"),
        ("berta", "shop:1", b"\x00\xff\xc0\x01", "v1"),
        ("anna", "shop:2", b"\x00\xff\xc0\x02", "v1"),
    ]


def test_many_batches_are_one_sequence_each_of_its_own_version(place: Place) -> None:
    place.log.append(a_batch(0, 1))
    place.log.append(a_batch(2, version="v2"))
    assert [verdict for _, verdict, _ in place.verdicts()] == [b"verdict %d" % n for n in range(3)]
    assert [(name, version) for _, name, _, version in place.features()] == [
        ("shop:0", "v1"),
        ("shop:1", "v1"),
        ("shop:2", "v2"),
    ]


def test_a_repeated_batch_is_on_the_log_again_in_the_same_bytes(place: Place) -> None:
    for _ in range(2):
        place.log.append(a_batch(1, 2))
    verdicts, features = place.verdicts(), place.features()
    assert verdicts[:2] == verdicts[2:]
    assert features[:2] == features[2:]
    assert len(verdicts) == len(features) == 4


def test_an_empty_batch_is_no_error_and_writes_nothing(place: Place) -> None:
    place.log.append(a_batch())
    assert place.verdicts() == []
    assert place.features() == []


def test_an_undelivered_batch_raises_and_can_be_appended_again() -> None:
    # The twin alone: the real client gives up after a minute, which no test should wait for.
    log = MemoryVerdictLog()
    log.is_reachable = False
    with pytest.raises(NotDelivered):
        log.append(a_batch(1))
    assert (log.verdicts, log.features, log.features_versions) == ([], [], [])
    log.is_reachable = True
    log.append(a_batch(1))
    assert len(log.verdicts) == len(log.features) == len(log.features_versions) == 1
