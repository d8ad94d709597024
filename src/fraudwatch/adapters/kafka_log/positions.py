"""Query offsets, committed positions and message times, with Describe rights and no reads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException
from confluent_kafka import TopicPartition as ClientPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own public names
    AdminClient,
    ConfigResource,
    OffsetSpec,
    ResourceType,
)

from fraudwatch.adapters.kafka_log.log import client_config
from fraudwatch.settings import KafkaSettings

_TIMEOUT_SECONDS = 5.0
# The broker's own topics.
_INTERNAL = "__"


class BrokerUnavailable(ConnectionError):
    """The broker did not answer, or refused."""


class Partition(NamedTuple):
    """One partition of a topic."""

    topic: str
    number: int


class TimedOffset(NamedTuple):
    """Offset of a message, and its time in epoch ms."""

    offset: int
    at_ms: int


class KafkaPositions:
    """Offsets and positions of all topics and groups that this user may describe."""

    def __init__(self, kafka: KafkaSettings) -> None:
        # At log level 2 the client is silent about a broker that is down; callers report that.
        self._admin = AdminClient({**client_config(kafka), "log_level": "2"})

    def partitions(self) -> list[Partition]:
        """List the partitions of every topic but the broker's own.

        Raises:
            BrokerUnavailable: no answer; so do all methods below.
        """
        try:
            found = self._admin.list_topics(timeout=_TIMEOUT_SECONDS).topics
        except KafkaException as error:
            raise _unavailable(error) from error
        return [
            Partition(topic, number)
            for topic, described in sorted(found.items())
            if not topic.startswith(_INTERNAL)
            for number in sorted(described.partitions)
        ]

    def starts(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Return the first offset of each partition that retention has left."""
        return self._offsets(partitions, OffsetSpec.earliest())  # type: ignore[no-untyped-call]

    def ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Return the end offset of each partition."""
        return self._offsets(partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]

    def first_since(self, times_ms: Mapping[Partition, int]) -> dict[Partition, TimedOffset | None]:
        """Find the first message of each partition that is not older than a time; None if none."""
        request = {
            partition: OffsetSpec.for_timestamp(at_ms) for partition, at_ms in times_ms.items()
        }
        return {
            partition: TimedOffset(found.offset, found.timestamp) if found.offset >= 0 else None
            for partition, found in self._list_offsets(request).items()
        }

    def committed(self) -> dict[str, dict[Partition, int]]:
        """Return the committed offsets of every consumer group that has any."""
        found = {group: self._committed_by(group) for group in self._groups()}
        return {group: offsets for group, offsets in found.items() if offsets}

    def retention_ms(self, topics: Iterable[str]) -> dict[str, float]:
        """Return for how long each topic keeps a message; infinite where it is not limited."""
        wanted = [ConfigResource(ResourceType.TOPIC, topic) for topic in topics]
        answers = self._admin.describe_configs(wanted, request_timeout=_TIMEOUT_SECONDS)
        limits = {
            one.name: int(_result(answer)["retention.ms"].value) for one, answer in answers.items()
        }
        return {topic: math.inf if limit < 0 else float(limit) for topic, limit in limits.items()}

    def _groups(self) -> list[str]:
        answer = self._admin.list_consumer_groups(request_timeout=_TIMEOUT_SECONDS)
        return sorted(group.group_id for group in _result(answer).valid)

    def _committed_by(self, group: str) -> dict[Partition, int]:
        request = [ConsumerGroupTopicPartitions(group)]
        answers = self._admin.list_consumer_group_offsets(request, request_timeout=_TIMEOUT_SECONDS)
        return {
            Partition(one.topic, one.partition): one.offset
            for one in _result(answers[group]).topic_partitions
            if one.error is None and one.offset >= 0  # negative: never committed
        }

    def _offsets(self, partitions: Iterable[Partition], which: Any) -> dict[Partition, int]:
        found = self._list_offsets(dict.fromkeys(partitions, which))
        return {partition: one.offset for partition, one in found.items()}

    def _list_offsets(self, request: Mapping[Partition, Any]) -> dict[Partition, Any]:
        if not request:
            return {}
        asked: dict[Any, Any] = {ClientPartition(*one): spec for one, spec in request.items()}
        answers = self._admin.list_offsets(asked, request_timeout=_TIMEOUT_SECONDS)
        return {Partition(one.topic, one.partition): _result(a) for one, a in answers.items()}


def _result(answer: Any) -> Any:
    try:
        return answer.result(_TIMEOUT_SECONDS)
    except (KafkaException, TimeoutError) as error:
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> BrokerUnavailable:
    return BrokerUnavailable(
        f"the broker does not answer ({error}), so lag is unknown; start it, or correct "
        "KAFKA_BOOTSTRAP_SERVERS and the user's password"
    )
