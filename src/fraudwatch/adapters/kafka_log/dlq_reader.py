"""DLQ reader on Kafka, for the operator: list dead letters and open one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from tink import TinkError

from fraudwatch.adapters.edge.keysets import dead_letter_opener
from fraudwatch.adapters.kafka_log.log import client_config, read_range
from fraudwatch.application.dead_letters.dlq import DlqRecord, DlqUnavailable, NotReplayable
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import DEAD_LETTER_TOPIC

_ANSWER_SECONDS = 10.0
# A record is up to 64 KiB, so this bounds memory.
_RECORDS_AT_ONCE = 200


class KafkaDlqReader:
    """``DlqReader`` without a consumer group; it commits no offsets."""

    def __init__(self, settings: KafkaSettings, private_key: Path) -> None:
        self._settings = settings
        self._private_key = private_key
        self._opener: Any = None
        self.unreadable = 0
        self._consumer = Consumer(
            client_config(settings)
            | {
                "group.id": "dead-letters",  # required by the client; assigned by hand
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                # A read waits until the previous prefetch times out: 0.5 s by default.
                "fetch.wait.max.ms": 10,
                "log_level": 0,  # errors are reported by this class
            }
        )

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close()

    def records(self) -> list[DlqRecord]:
        """See :class:`~fraudwatch.application.dead_letters.dlq.DlqReader`.

        Messages without the headers of a dead letter are skipped and counted in ``unreadable``.
        """
        found: list[DlqRecord | None] = []
        try:
            for messages in read_range(
                self._settings, DEAD_LETTER_TOPIC, self._ends(), at_once=_RECORDS_AT_ONCE
            ):
                found += [record_of(message) for message in messages]
        except (KafkaException, ConnectionError, TimeoutError) as error:
            raise self._unreachable(error) from error
        self.unreadable = found.count(None)
        return [record for record in found if record is not None]

    def _ends(self) -> dict[int, int]:
        known = self._consumer.list_topics(DEAD_LETTER_TOPIC, timeout=_ANSWER_SECONDS)
        topic = known.topics[DEAD_LETTER_TOPIC]
        if topic.error is not None:
            raise ConnectionError(topic.error.str())
        places = [TopicPartition(DEAD_LETTER_TOPIC, number) for number in topic.partitions]
        marks = self._consumer.get_watermark_offsets
        return {place.partition: marks(place, timeout=_ANSWER_SECONDS)[1] for place in places}

    def open(self, record: DlqRecord) -> bytes:
        sealed = self._sealed(record)
        try:
            self._opener = self._opener or dead_letter_opener(self._private_key)
        except (OSError, TinkError) as error:
            raise DlqUnavailable(
                f"the private half of the dead letters' key, {self._private_key}, cannot be used "
                f"({type(error).__name__}), so no payload can be opened; restore it from the backup"
            ) from error
        try:
            return bytes(self._opener.decrypt(sealed, record.origin.encode()))
        except TinkError as error:
            raise NotReplayable(
                "its payload does not open: it was sealed to another key or altered; only its "
                "headers can be read"
            ) from error

    def _sealed(self, record: DlqRecord) -> bytes:
        place = TopicPartition(DEAD_LETTER_TOPIC, record.partition, record.offset)
        self._consumer.assign([place])
        message = self._consumer.poll(_ANSWER_SECONDS)
        if message is None:
            raise self._unreachable("no answer")
        if message.error() is not None or message.offset() != record.offset:
            raise NotReplayable("it is no longer on the topic: retention has removed it")
        return message.value() or b""

    def _unreachable(self, cause: object) -> DlqUnavailable:
        return DlqUnavailable(
            f"{DEAD_LETTER_TOPIC} at {self._settings.bootstrap_servers} cannot be read ({cause}), "
            "so nothing was done; see whether kafka runs with ./fraudwatch status"
        )


def record_of(message: Message) -> DlqRecord | None:
    """Parse a message as a DLQ record; None when its headers describe none."""
    texts = {name: _text(value) for name, value in dict(message.headers() or []).items()}
    return DlqRecord.from_headers(texts, message.partition() or 0, message.offset() or 0)


def _text(value: str | bytes | None) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value or ""
