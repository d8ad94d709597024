"""Compute the lag of consumers from positions: messages, age, and what retention leaves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from exporters.kafka_lag.message_times import MessageTimes
from fraudwatch.adapters.kafka_log.positions import KafkaPositions, Partition
from fraudwatch.topics import ARCHIVE_GROUP

_MS = 1000.0
Positions = Mapping[Partition, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """Lag of one group on one topic."""

    group: str
    topic: str
    messages: int = 0
    oldest_seconds: float = 0.0
    """Age of the oldest unread message; 0 if there is none."""
    retention_left_seconds: float = math.inf
    """Time until retention removes that message; 0 once it has removed unread ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LagReport:
    """Lag of every group, and the messages ever written to each topic."""

    lags: tuple[Lag, ...] = ()
    topic_messages: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicLog:
    """Retained range of the broker: starts and ends of partitions, and each topic's retention."""

    starts: Positions
    ends: Positions
    retention_ms: Mapping[str, float]

    def whole(self, positions: Positions) -> dict[Partition, int]:
        """Add the partitions without a position of the topics that a group reads.

        The group has not begun them, so all their messages are unread.
        """
        topics = {partition.topic for partition in positions}
        return {
            partition: positions.get(partition, start)
            for partition, start in self.starts.items()
            if partition.topic in topics
        }

    def unread(self, positions: Positions) -> dict[Partition, int]:
        """Return the oldest unread message that is still there, where there is one."""
        return {
            partition: max(position, self.starts[partition])
            for partition, position in positions.items()
            if max(position, self.starts[partition]) < self.ends[partition]
        }


def measure(
    broker: KafkaPositions,
    times: MessageTimes,
    own_positions: Mapping[str, Positions],
    now_ms: int,
) -> LagReport:
    """Measure the lag of every group.

    Args:
        broker: the source of offsets.
        times: the search for the times of messages.
        own_positions: positions that readers keep themselves, outside of Kafka.
        now_ms: current time, epoch ms.

    Raises:
        BrokerUnavailable: the broker does not answer.
    """
    # Positions first: a reader that runs is then never ahead of the ends.
    groups = {**broker.committed(), **own_positions}
    # Behind by an hour between two runs: that is no lag of a consumer.
    groups.pop(ARCHIVE_GROUP, None)
    partitions = broker.partitions()
    topics = sorted({partition.topic for partition in partitions})
    log = TopicLog(
        starts=broker.starts(partitions),
        ends=broker.ends(partitions),
        retention_ms=broker.retention_ms(topics),
    )
    lags = [
        lag
        for group, positions in sorted(groups.items())
        for lag in lags_of(group, log, positions, times, now_ms)
    ]
    messages = {
        topic: sum(end for partition, end in log.ends.items() if partition.topic == topic)
        for topic in topics
    }
    return LagReport(lags=tuple(lags), topic_messages=messages)


def lags_of(
    group: str, log: TopicLog, positions: Positions, times: MessageTimes, now_ms: int
) -> Iterator[Lag]:
    """Compute a group's lag on each topic that it reads."""
    whole = log.whole(positions)
    unread = log.unread(whole)
    produced_ms = times.find_ms(group, unread, now_ms)
    for topic in sorted({partition.topic for partition in whole}):
        ages = {p: max(0, now_ms - at) for p, at in produced_ms.items() if p.topic == topic}
        own = {p: position for p, position in whole.items() if p.topic == topic}
        is_overtaken = any(position < log.starts[p] for p, position in own.items())
        left_ms = max(0.0, log.retention_ms[topic] - max(ages.values(), default=0))
        yield Lag(
            group=group,
            topic=topic,
            messages=sum(max(0, log.ends[p] - position) for p, position in own.items()),
            oldest_seconds=max(ages.values(), default=0) / _MS,
            retention_left_seconds=0.0 if is_overtaken else left_ms / _MS if ages else math.inf,
        )
