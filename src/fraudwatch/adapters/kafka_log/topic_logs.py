"""Look up a topic's id and offsets on the broker, with Describe rights alone."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Final

from confluent_kafka import KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own public names
    AdminClient,
    OffsetSpec,
)

from fraudwatch.adapters.kafka_log.known_topics import KnownTopics
from fraudwatch.adapters.kafka_log.log import client_config
from fraudwatch.adapters.kafka_log.positions import BrokerUnavailable
from fraudwatch.adapters.kafka_log.topic_check import TopicLog
from fraudwatch.settings import KafkaSettings

_TIMEOUT_SECONDS: Final = 30.0


def known_topics(
    kafka: KafkaSettings, group: str, folder: Path, *, refill: str = ""
) -> KnownTopics:
    """Open what a group remembers of its topics; ``refill`` is its command for lost messages."""
    return KnownTopics(folder, group, partial(topic_log_of, kafka), refill)


def topic_log_of(kafka: KafkaSettings, topic: str) -> TopicLog:
    """Look up a topic.

    Raises:
        BrokerUnavailable: the broker does not answer, or the topic does not exist.
    """
    admin = AdminClient({**client_config(kafka), "log_level": "2"})
    try:
        asked = admin.describe_topics(TopicCollection([topic]), request_timeout=_TIMEOUT_SECONDS)
        described: Any = asked[topic].result(_TIMEOUT_SECONDS)
        numbers = [one.id for one in described.partitions]
        starts = _offsets(admin, topic, numbers, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        ends = _offsets(admin, topic, numbers, OffsetSpec.latest())  # type: ignore[no-untyped-call]
    except (KafkaException, TimeoutError) as error:
        raise BrokerUnavailable(
            f"{topic} cannot be looked up ({error}), so nothing was read; see whether kafka runs "
            "and kafka_setup has run"
        ) from error
    return TopicLog(topic, str(described.topic_id), starts, ends)


def _offsets(admin: AdminClient, topic: str, numbers: list[int], which: Any) -> dict[int, int]:
    request: dict[Any, Any] = {TopicPartition(topic, number): which for number in numbers}
    answers = admin.list_offsets(request, request_timeout=_TIMEOUT_SECONDS)
    return {
        one.partition: int(answer.result(_TIMEOUT_SECONDS).offset)
        for one, answer in answers.items()
    }
