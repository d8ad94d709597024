"""Where topics begin and end, so that a reader knows what there is and when it has read it."""

from __future__ import annotations

from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own public names
    AdminClient,
    OffsetSpec,
)

from fraudwatch.adapters.kafka_log.log import client_config
from fraudwatch.settings import KafkaSettings

_TIMEOUT_SECONDS = 30.0


def ends_of(kafka: KafkaSettings, topic: str) -> dict[int, int]:
    """Where every partition of a topic ends now."""
    return _offsets_of(kafka, topic, OffsetSpec.latest())  # type: ignore[no-untyped-call]  # the client's own


def starts_of(kafka: KafkaSettings, topic: str) -> dict[int, int]:
    """The first offset that retention has left in every partition of a topic."""
    return _offsets_of(kafka, topic, OffsetSpec.earliest())  # type: ignore[no-untyped-call]  # the client's own


def committed_of(kafka: KafkaSettings, group: str, topic: str) -> dict[int, int]:
    """Up to where a group has done with every partition of a topic; 0 where it never committed."""
    partitions = [TopicPartition(topic, n) for n in ends_of(kafka, topic)]
    asked = [ConsumerGroupTopicPartitions(group, partitions)]
    # At level 6 the client tells of an event of its own with each goodbye.
    admin = AdminClient({**client_config(kafka), "log_level": "5"})
    told = admin.list_consumer_group_offsets(asked, request_timeout=_TIMEOUT_SECONDS)
    places = told[group].result().topic_partitions
    return {place.partition: max(0, place.offset) for place in places}  # negative: never


def _offsets_of(kafka: KafkaSettings, topic: str, which: Any) -> dict[int, int]:
    admin = AdminClient({**client_config(kafka)})
    partitions = admin.list_topics(topic, timeout=_TIMEOUT_SECONDS).topics[topic].partitions
    asked: dict[Any, Any] = {TopicPartition(topic, n): which for n in partitions}
    found = admin.list_offsets(asked, request_timeout=_TIMEOUT_SECONDS)
    return {place.partition: told.result().offset for place, told in found.items()}
