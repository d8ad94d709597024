"""Read one partition forward from an offset or a time, without a consumer group."""

from __future__ import annotations

from typing import Final

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from fraudwatch.adapters.kafka_log.log import client_config, raise_for_error
from fraudwatch.settings import KafkaSettings

_ANSWER_SECONDS: Final = 10.0
_FETCH_BYTES: Final = 262_144
_QUEUE_KIB: Final = 1_024
# A gap that is read over sooner than fetched anew.
_LONGEST_GAP: Final = 5_000


class PartitionCursor:
    """Position in one partition. What retention has removed is skipped."""

    def __init__(self, settings: KafkaSettings, topic: str, partition: int) -> None:
        self._topic, self._partition = topic, partition
        self._consumer = Consumer(
            client_config(settings)
            | {
                # Required by the client and within the user's rights; nothing is committed.
                "group.id": settings.username,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                # Small buffers: each partition of each topic has its own.
                "fetch.message.max.bytes": _FETCH_BYTES,
                "queued.max.messages.kbytes": _QUEUE_KIB,
            }
        )
        self._position: int | None = None

    def seek(self, offset: int) -> None:
        """Continue at an offset; small gaps are read over."""
        position = self._position
        if position is None or not position <= offset <= position + _LONGEST_GAP:
            self._consumer.assign([TopicPartition(self._topic, self._partition, offset)])
            self._position = offset

    def offset_at(self, at_ms: int) -> int:
        """Return the first offset that was produced at this time or later; the end if none was.

        Raises:
            ConnectionError: the broker does not answer.
        """
        wanted = TopicPartition(self._topic, self._partition, at_ms)
        try:
            (found,) = self._consumer.offsets_for_times([wanted], timeout=_ANSWER_SECONDS)
            if found.error is None and found.offset >= 0:
                return int(found.offset)
            # The end, also where the partition cannot be searched: reading it raises the error.
            _, end = self._consumer.get_watermark_offsets(
                TopicPartition(self._topic, self._partition), timeout=_ANSWER_SECONDS
            )
        except KafkaException as error:
            raise ConnectionError(f"Kafka: {error}") from error
        return int(end)

    def read(self, max_messages: int, timeout_seconds: float) -> list[Message]:
        """Read up to ``max_messages``, or fewer after the timeout.

        Raises:
            ConnectionError: the client delivered an error.
        """
        messages = self._consumer.consume(max_messages, timeout=timeout_seconds)
        for message in messages:
            raise_for_error(message)
        if messages:
            self._position = (messages[-1].offset() or 0) + 1
        return messages

    def close(self) -> None:
        """Close the connections."""
        self._consumer.close()
