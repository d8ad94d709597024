"""Look up start, end and committed offsets of topics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own public names
    AdminClient,
    OffsetSpec,
)

from fraudwatch.adapters.kafka_log.log import client_config
from fraudwatch.settings import KafkaSettings

_TIMEOUT_SECONDS = 30.0


def topics_of(kafka: KafkaSettings) -> list[str]:
    """List the topics of the broker, without Kafka's own."""
    admin = AdminClient({**client_config(kafka), "log_level": "5"})
    names = admin.list_topics(timeout=_TIMEOUT_SECONDS).topics
    return sorted(name for name in names if not name.startswith("__"))


def ends_of(kafka: KafkaSettings, topic: str) -> dict[int, int]:
    """Return the end offset of every partition of a topic."""
    return _offsets_of(kafka, topic, OffsetSpec.latest())  # type: ignore[no-untyped-call]  # the client's own


def starts_of(kafka: KafkaSettings, topic: str) -> dict[int, int]:
    """Return the first offset of every partition of a topic that retention has left."""
    return _offsets_of(kafka, topic, OffsetSpec.earliest())  # type: ignore[no-untyped-call]  # the client's own


def committed_of(kafka: KafkaSettings, group: str, topic: str) -> dict[int, int]:
    """Return a consumer group's committed offset of every partition; 0 where it never committed."""
    partitions = [TopicPartition(topic, n) for n in ends_of(kafka, topic)]
    # By a consumer that never joins: librdkafka 2.x crashes the process when it asks as an admin
    # and the group's coordinator is not ready, as right after a broker's start.
    consumer = Consumer({**client_config(kafka), "log_level": "5", "group.id": group})
    try:
        found = consumer.committed(partitions, timeout=_TIMEOUT_SECONDS)
    finally:
        consumer.close()
    return {one.partition: max(0, one.offset) for one in found}  # negative: never committed


def commit_ends(kafka: KafkaSettings, group: str, topic: str, ends: Mapping[int, int]) -> None:
    """Commit positions of a reader that is no member of its group, for those who look them up."""
    offsets = [TopicPartition(topic, number, end) for number, end in ends.items()]
    if not offsets:
        return
    consumer = Consumer({**client_config(kafka), "log_level": "5", "group.id": group})
    try:
        consumer.commit(offsets=offsets, asynchronous=False)
    finally:
        consumer.close()


def _offsets_of(kafka: KafkaSettings, topic: str, which: Any) -> dict[int, int]:
    admin = AdminClient({**client_config(kafka), "log_level": "5"})
    partitions = admin.list_topics(topic, timeout=_TIMEOUT_SECONDS).topics[topic].partitions
    request: dict[Any, Any] = {TopicPartition(topic, n): which for n in partitions}
    answers = admin.list_offsets(request, request_timeout=_TIMEOUT_SECONDS)
    return {one.partition: answer.result().offset for one, answer in answers.items()}
