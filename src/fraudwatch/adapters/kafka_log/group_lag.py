"""Look up what a consumer group has not consumed yet, of every topic that it reads."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient

from fraudwatch.adapters.kafka_log.ends import ends_of, starts_of
from fraudwatch.adapters.kafka_log.log import client_config
from fraudwatch.settings import KafkaSettings

_TIMEOUT_SECONDS = 30.0


class GroupPosition(NamedTuple):
    """A consumer group: its members, and by topic and partition where it continues."""

    members: int
    committed: dict[str, dict[int, int]]
    unread: int


def group_position(kafka: KafkaSettings, group: str) -> GroupPosition:
    """Look up a group's members and committed offsets, and count what it has not consumed."""
    # At log level 6 the client logs an event at each disconnect.
    admin = AdminClient({**client_config(kafka), "log_level": "5"})
    asked = admin.describe_consumer_groups([group], request_timeout=_TIMEOUT_SECONDS)
    members = asked[group].result().members
    request = [ConsumerGroupTopicPartitions(group)]
    listed = admin.list_consumer_group_offsets(request, request_timeout=_TIMEOUT_SECONDS)
    # A partition that is assigned and was never committed is read from its start.
    known: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for member in members:
        for one in member.assignment.topic_partitions:
            known[one.topic][one.partition] = -1
    for one in listed[group].result().topic_partitions:
        known[one.topic][one.partition] = one.offset
    committed = {topic: _resolved(kafka, topic, offsets) for topic, offsets in known.items()}
    unread = sum(_behind(kafka, topic, offsets) for topic, offsets in committed.items())
    return GroupPosition(len(members), committed, unread)


def _resolved(kafka: KafkaSettings, topic: str, offsets: dict[int, int]) -> dict[int, int]:
    starts = starts_of(kafka, topic)
    return {number: at if at >= 0 else starts[number] for number, at in offsets.items()}


def _behind(kafka: KafkaSettings, topic: str, offsets: dict[int, int]) -> int:
    ends = ends_of(kafka, topic)
    return sum(max(0, ends[number] - at) for number, at in offsets.items())
