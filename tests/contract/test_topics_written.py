"""Contract of publishers: memory twin and real broker."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from fraudwatch.adapters.kafka_log.log import KafkaTopic, client_config, read_range
from fraudwatch.adapters.memory.verdict_store import MemoryTopic
from fraudwatch.application.ports import Publisher
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import PRODUCED_AT_HEADER
from tests.waiting import eventually

Written = list[tuple[str, bytes, int]]


@dataclass(frozen=True)
class Place:
    """A publisher under test and what a reader finds behind it."""

    publisher: Publisher
    read: Callable[[], Written]


def _on_kafka(settings: KafkaSettings) -> Iterator[Place]:
    topic = f"contract_{uuid.uuid4().hex}"
    admin = AdminClient(client_config(settings))
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result()
    # Made is not yet known to everybody who asks.
    eventually(
        lambda: 0 in admin.list_topics(topic, timeout=10).topics[topic].partitions,
        within_seconds=30,
        what="the topic's partition",
    )

    def read() -> Written:
        looking = Consumer(client_config(settings) | {"group.id": "contract"})
        _, end = looking.get_watermark_offsets(TopicPartition(topic, 0), timeout=30)
        looking.close()
        found = [m for some in read_range(settings, topic, {0: end}) for m in some]
        return [
            (
                (m.key() or b"").decode(),
                m.value() or b"",
                int(dict(m.headers() or [])[PRODUCED_AT_HEADER]),
            )
            for m in found
        ]

    yield Place(KafkaTopic(settings, topic), read)
    admin.delete_topics([topic])[topic].result()


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.engines)])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "memory":
        topic = MemoryTopic()
        yield Place(topic, lambda: topic.messages)
    else:
        yield from _on_kafka(request.getfixturevalue("stack").kafka("admin"))


def test_messages_arrive_in_order_with_key_and_time(place: Place) -> None:
    sent = [("anna", b"1", 10), ("berta", b"2", 20), ("anna", b"3", 30)]
    place.publisher.publish(sent)
    assert place.read() == sent


def test_many_calls_are_one_sequence(place: Place) -> None:
    for n in range(5):
        place.publisher.publish([("anna", str(n).encode(), n)])
    assert [value for _, value, _ in place.read()] == [b"0", b"1", b"2", b"3", b"4"]


def test_nothing_to_publish_is_no_error(place: Place) -> None:
    place.publisher.publish([])
    assert place.read() == []
