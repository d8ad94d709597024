"""Read alerts from ``fraud_topic`` without a group: the live end of it once, its past on demand."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as ClientPartition

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.kafka_log.log import RetentionOvertook, client_config, read_range
from fraudwatch.application.alert_stream import (
    LogEntry,
    LogPosition,
    LogUnavailable,
    RetentionExceeded,
)
from fraudwatch.application.console.alerts import Alert, alert_of
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.verdict import Outcome, Verdict
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import FRAUD_TOPIC

log = logging.getLogger(__name__)

_ANSWER_SECONDS = 3.0
_RETRY_SECONDS = 2.0
_POLL_SECONDS = 1.0
_MESSAGES_AT_ONCE = 500
# Few verdicts wait in the client: its default of 64 MiB would be a third of the process's memory.
_SMALL_QUEUE = {"queued.max.messages.kbytes": "4096", "queued.min.messages": "1000"}
# The end of the log moved behind the position: the topic was recreated, or retention passed it.
_LOST_POSITION = {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}  # noqa: SLF001  public names


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Field of a verdict that decides whether it is an alert."""

    outcome: Outcome


class KafkaAlertTail(threading.Thread):
    """Thread that reads ``fraud_topic`` from its end on, and hands over every message."""

    def __init__(
        self,
        settings: KafkaSettings,
        on_start: Callable[[LogPosition], None],
        on_entries: Callable[[Sequence[LogEntry]], None],
    ) -> None:
        super().__init__(name="alert-tail", daemon=True)
        self._settings, self._on_start, self._on_entries = settings, on_start, on_entries
        self._over = threading.Event()

    def run(self) -> None:
        """Read until stopped; a broker that is down is waited for.

        Raises:
            ConnectionError: the position is lost; the process ends and is restarted.
        """
        consumer = Consumer(
            client_config(self._settings)
            | _SMALL_QUEUE
            | {
                # Required by the client and within the user's rights; nothing is committed.
                "group.id": f"{self._settings.username}-tail",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "error",
            }
        )
        while not self._over.is_set():
            try:
                start = log_end(consumer)
            except LogUnavailable as error:
                log.warning("%s; trying again in %.0f s", error, _RETRY_SECONDS)
                self._over.wait(_RETRY_SECONDS)
                continue
            consumer.assign(
                [ClientPartition(FRAUD_TOPIC, *one) for one in sorted(start.offsets.items())]
            )
            self._on_start(start)
            break
        while not self._over.is_set():
            if entries := list(_entries_of(_consume(consumer))):
                self._on_entries(entries)
        consumer.close()

    def stop(self) -> None:
        """Stop within a second."""
        self._over.set()


class KafkaAlertHistory:
    """``AlertHistory`` by a consumer for each call."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings

    def require_stored(self, start: LogPosition) -> None:
        consumer = Consumer(
            client_config(self._settings) | {"group.id": f"{self._settings.username}-starts"}
        )
        try:
            for number, offset in start.offsets.items():
                low, _ = consumer.get_watermark_offsets(
                    ClientPartition(FRAUD_TOPIC, number), timeout=_ANSWER_SECONDS
                )
                if offset < low:
                    raise RetentionExceeded(
                        f"{FRAUD_TOPIC}-{number} begins at offset {low}, and {offset} is wanted"
                    )
        except KafkaException as error:
            raise LogUnavailable(f"{FRAUD_TOPIC} cannot be read ({error})") from error
        finally:
            consumer.close()

    def between(
        self, start: LogPosition, end: LogPosition
    ) -> Generator[Sequence[LogEntry], None, None]:
        """See :class:`fraudwatch.application.alert_stream.AlertHistory`.

        Partition after partition.
        """
        wanted = {
            number: stop for number, stop in end.offsets.items() if start.offsets[number] < stop
        }
        try:
            for messages in read_range(
                self._settings,
                FRAUD_TOPIC,
                wanted,
                starts=start.offsets,
                at_once=_MESSAGES_AT_ONCE,
                more=_SMALL_QUEUE,
            ):
                yield list(_entries_of(messages))
        except RetentionOvertook as error:
            raise RetentionExceeded(str(error)) from error
        except (KafkaException, ConnectionError, TimeoutError) as error:
            raise LogUnavailable(f"{FRAUD_TOPIC} cannot be read ({error})") from error


def log_end(consumer: Consumer) -> LogPosition:
    """Return the end offsets of ``fraud_topic``.

    Raises:
        LogUnavailable: the broker does not answer, or lacks the topic.
    """
    try:
        return LogPosition(_ends(consumer))
    except KafkaException as error:
        raise LogUnavailable(
            f"{FRAUD_TOPIC} cannot be read ({error}), so there are no live alerts; see whether "
            "kafka runs and kafka_setup has run"
        ) from error


def _ends(consumer: Consumer) -> dict[int, int]:
    topic = consumer.list_topics(FRAUD_TOPIC, timeout=_ANSWER_SECONDS).topics[FRAUD_TOPIC]
    if topic.error is not None:
        raise KafkaException(topic.error)
    parts = [ClientPartition(FRAUD_TOPIC, number) for number in topic.partitions]
    return {
        one.partition: consumer.get_watermark_offsets(one, timeout=_ANSWER_SECONDS)[1]
        for one in parts
    }


def _consume(consumer: Consumer) -> Iterator[Message]:
    """Yield the next messages without waiting for a full batch."""
    first = consumer.poll(_POLL_SECONDS)
    if first is None:
        return
    for message in (first, *consumer.consume(_MESSAGES_AT_ONCE, timeout=0)):
        error = message.error()
        if error is None:
            yield message
        elif error.fatal() or error.code() in _LOST_POSITION:
            raise ConnectionError(f"Kafka: {error.str()}")
        else:
            log.warning("%s: %s; live alerts may be late", FRAUD_TOPIC, error.str())


def _entries_of(messages: Iterable[Message]) -> Iterator[LogEntry]:
    for message in messages:
        offset = message.offset()
        yield LogEntry(
            message.partition() or 0,
            OFFSET_INVALID if offset is None else offset,
            _alert_in(message.value() or b""),
        )


def _alert_in(value: bytes) -> Alert | None:
    try:
        if decode(_Outcome, value).outcome is Outcome.APPROVE:
            return None
        return alert_of(decode(Verdict, value))
    except Refused:
        return None  # the persister dead-letters it
