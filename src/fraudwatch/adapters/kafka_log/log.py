"""Kafka through confluent-kafka: client settings, acknowledged produces, reads by offset."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from fraudwatch.adapters.kafka_log.client import client_config, producer_config
from fraudwatch.adapters.kafka_log.topic import KafkaTopic
from fraudwatch.application.ports import NotDelivered
from fraudwatch.settings import KafkaSettings

__all__ = [
    "Headers",
    "KafkaTopic",
    "Outbox",
    "RetentionOvertook",
    "client_config",
    "group_consumer",
    "raise_for_error",
    "read_range",
]

_FLUSH_SECONDS = 60.0
_REPORT_SECONDS = 1.0
_QUEUE_POLL_SECONDS = 0.5
_READ_TIMEOUT_SECONDS = 30.0


class RetentionOvertook(LookupError):
    """Retention has removed the requested offsets."""


Headers = list[tuple[str, str | bytes | None]]


class Outbox:
    """Idempotent producer whose messages count as sent once all replicas have acknowledged.

    With ``in_order`` no message times out while a later one may still be sent: a failed call then
    leaves a prefix of its messages on the log, without a gap.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        linger_ms: int = 0,
        timeout_seconds: float = _FLUSH_SECONDS,
        in_order: bool = False,
    ) -> None:
        self._failures: list[KafkaError] = []
        self._timeout_seconds = timeout_seconds
        self._producer = Producer(
            producer_config(settings, linger_ms=linger_ms)
            | {
                # 0: never. wait() times out all the same, and then the process ends.
                "message.timeout.ms": 0 if in_order else int(timeout_seconds * 1000),
                # A Python callback for each success would cost as much as the send.
                "delivery.report.only.error": True,
                "on_delivery": self._on_delivery,
                # Without it the driver raises a fatal error inside a callback, which ends in a
                # SystemError or a crash of the interpreter.
                "error_cb": self._on_error,
            }
        )

    def put(self, topic: str, key: str, value: bytes, headers: Headers) -> None:
        """Enqueue a message; :meth:`wait` reports the result."""
        while True:
            try:
                self._producer.produce(topic, value, key, headers=headers)
            except BufferError:  # the queue is full: let it drain, then try again
                self._producer.poll(_QUEUE_POLL_SECONDS)
            else:
                return

    def wait(self) -> None:
        """Wait until every enqueued message is acknowledged.

        Raises:
            NotDelivered: a message was not acknowledged.
        """
        # Slightly longer, so that a timed-out message is reported as failed, not sent later.
        unsent = self._producer.flush(self._timeout_seconds + _REPORT_SECONDS)
        failures, self._failures = self._failures, []
        if unsent or failures:
            first = (
                failures[0].str()
                if failures
                else f"not acknowledged in {self._timeout_seconds:.0f} s"
            )
            raise NotDelivered(
                f"{unsent + len(failures)} messages did not reach the broker: {first}; "
                "nothing was committed, they are sent again"
            )

    def _on_error(self, error: KafkaError) -> None:
        # The driver recovers from others by itself, and logs them.
        if error.fatal():
            self._failures.append(error)

    def _on_delivery(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._failures.append(error)


def group_consumer(settings: KafkaSettings, group: str, **more: Any) -> Consumer:
    """Create a consumer of a group without automatic commits.

    If retention has removed the group's offset that is an error, not a silent jump
    (``auto.offset.reset``).
    """
    return Consumer(
        client_config(settings)
        | {
            "group.id": group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": 45_000,
            "max.poll.interval.ms": 300_000,
        }
        | more
    )


def read_range(
    settings: KafkaSettings,
    topic: str,
    ends: Mapping[int, int],
    *,
    starts: Mapping[int, int] | None = None,
    at_once: int = 20_000,
    more: Mapping[str, str] | None = None,
) -> Iterator[list[Message]]:
    """Read a topic from ``starts`` up to (not including) ``ends``, by partition.

    Without ``starts`` it is read from the first message that retention has left. With them, a
    partition that they do not name is read from offset 0.

    Partition by partition, in offset order, without joining a consumer group. ``more`` are further
    settings of the client.

    Raises:
        TimeoutError: the broker has fewer messages than ``ends`` requires, or does not answer.
        RetentionOvertook: retention has removed a start.
    """
    consumer = Consumer(
        client_config(settings)
        # The client's own default stores positions, whose growing lag nobody would read.
        | {"group.id": f"{settings.username}-range", "enable.auto.commit": False}
        | dict(more or {})
    )
    try:
        for partition, end in sorted(ends.items()):
            low, _ = consumer.get_watermark_offsets(
                TopicPartition(topic, partition), timeout=_READ_TIMEOUT_SECONDS
            )
            first = low if starts is None else starts.get(partition, 0)
            if first < low:
                raise RetentionOvertook(
                    f"{topic}-{partition} begins at offset {low}, and {first} is needed: retention "
                    "removed the offsets between, so nothing was read from there; begin at a state "
                    "or an offset that is still there"
                )
            consumer.assign([TopicPartition(topic, partition, first)])
            yield from _until(consumer, first, end, at_once)
    finally:
        consumer.close()


def _until(consumer: Consumer, position: int, end: int, at_once: int) -> Iterator[list[Message]]:
    deadline = time.monotonic() + _READ_TIMEOUT_SECONDS
    while position < end:
        got = consumer.consume(at_once, timeout=1.0)
        for message in got:
            raise_for_error(message)
        wanted = [m for m in got if (m.offset() or 0) < end]
        if wanted:
            deadline = time.monotonic() + _READ_TIMEOUT_SECONDS
            yield wanted
        if got:
            position = (got[-1].offset() or 0) + 1
        elif time.monotonic() > deadline:
            raise TimeoutError(
                f"offset {position} of {end} did not come in {_READ_TIMEOUT_SECONDS:.0f} s: the "
                "topic was emptied or the broker is down; the state cannot be folded without it"
            )


def raise_for_error(message: Message) -> None:
    """Raise the error that the client delivered in place of a message.

    Raises:
        ConnectionError: with the client's message; the process ends and is restarted.
    """
    if (error := message.error()) is not None:
        raise ConnectionError(f"Kafka: {error.str()}")
