"""Kafka through confluent-kafka: settings of every client, acknowledged writes, reads by offset."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from fraudwatch.application.ports import NotDelivered
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import PARTITIONER, PRODUCED_AT_HEADER

_FLUSH_SECONDS = 60.0
_REPORT_SECONDS = 1.0
_QUEUE_POLL_SECONDS = 0.5
_READ_TIMEOUT_SECONDS = 30.0


class RetentionOvertook(LookupError):
    """The log no longer holds what is asked for."""


def client_config(settings: KafkaSettings) -> dict[str, str]:
    """How any client of ours reaches the broker."""
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol,
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": settings.username,
        "sasl.password": settings.password.get_secret_value(),
        "client.id": settings.username,
    }


Headers = list[tuple[str, str | bytes | None]]


class Outbox:
    """An idempotent producer whose messages count as sent once every copy is acknowledged.

    With ``in_order`` no message is given up while a later one may still be sent: what reaches the
    log of a call that failed is then its beginning, without a gap.
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
            client_config(settings)
            | {
                "enable.idempotence": True,
                "acks": "all",
                "partitioner": PARTITIONER,
                "linger.ms": linger_ms,
                "compression.type": "lz4",
                "queue.buffering.max.messages": 500_000,
                # 0: never. The wait ends all the same, and with it who asked for order.
                "message.timeout.ms": 0 if in_order else int(timeout_seconds * 1000),
                # A call back into Python for each success would cost as much as sending it.
                "delivery.report.only.error": True,
                "on_delivery": self._on_delivery,
            }
        )

    def put(self, topic: str, key: str, value: bytes, headers: Headers) -> None:
        """Hand a message over; :meth:`wait` tells what became of it."""
        while True:
            try:
                self._producer.produce(topic, value, key, headers=headers)
            except BufferError:  # the queue is full: let it drain, then try again
                self._producer.poll(_QUEUE_POLL_SECONDS)
            else:
                return

    def wait(self) -> None:
        """Return when everything handed over is acknowledged.

        Raises:
            NotDelivered: when something was not.
        """
        # A little more: a message that times out is told as failed, not left to be sent later.
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

    def _on_delivery(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._failures.append(error)


class KafkaTopic:
    """A topic to publish to; see :class:`Outbox`."""

    def __init__(
        self,
        settings: KafkaSettings,
        topic: str,
        *,
        linger_ms: int = 0,
        timeout_seconds: float = _FLUSH_SECONDS,
    ) -> None:
        """``timeout_seconds`` is how long an acknowledgement is waited for."""
        self._topic = topic
        self._outbox = Outbox(settings, linger_ms=linger_ms, timeout_seconds=timeout_seconds)
        self._lock = threading.Lock()

    def publish(self, messages: Sequence[tuple[str, bytes, int]]) -> None:
        """See :class:`~fraudwatch.application.ports.Publisher`."""
        self.send([(k, v, {PRODUCED_AT_HEADER: str(at).encode()}) for k, v, at in messages])

    def send(self, messages: Sequence[tuple[str, bytes, Mapping[str, bytes]]]) -> None:
        """Send (key, value, headers) in order and wait until all are acknowledged."""
        with self._lock:  # what failed is told to the call that sent it
            for key, value, headers in messages:
                self._outbox.put(self._topic, key, value, list(headers.items()))
            self._outbox.wait()


def group_consumer(settings: KafkaSettings, group: str, **more: Any) -> Consumer:
    """A consumer whose offsets move only when its owner says so.

    Retention that overtook the group is an error, not a silent jump (``auto.offset.reset``).
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
) -> Iterator[list[Message]]:
    """Everything of a topic from ``starts`` up to (not including) ``ends``, by partition.

    A partition without a start is read from its beginning.

    Partition by partition, in offset order, without joining a group.

    Raises:
        TimeoutError: when the broker holds fewer messages than ``ends`` says, or stays silent.
    """
    consumer = Consumer(client_config(settings) | {"group.id": f"{settings.username}-range"})
    try:
        for partition, end in sorted(ends.items()):
            low, _ = consumer.get_watermark_offsets(
                TopicPartition(topic, partition), timeout=_READ_TIMEOUT_SECONDS
            )
            first = (starts or {}).get(partition, low)
            if first < low:
                raise RetentionOvertook(
                    f"{topic}-{partition} begins at offset {low}, and {first} is needed: what lies "
                    "between was removed by retention, so nothing can be folded from there"
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
                "topic was emptied or the broker is away; the state cannot be folded without it"
            )


def raise_for_error(message: Message) -> None:
    """Let an error that came in place of a message out.

    Raises:
        ConnectionError: what the client says; the process ends and is started again.
    """
    if (error := message.error()) is not None:
        raise ConnectionError(f"Kafka: {error.str()}")
