"""Consume verdicts for synchronous callers: from the end of the topic, without a consumer group.

Consuming starts with the first caller and ends a minute after the last, so that ingest without
synchronous callers spends nothing on it.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from functools import partial

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.kafka_log.log import client_config
from fraudwatch.application.intake.pending_verdicts import PendingVerdictRegistry
from fraudwatch.application.ports import VerdictsUnavailable
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import FRAUD_TOPIC

log = logging.getLogger(__name__)

_ANSWER_SECONDS = 3.0
_POLL_SECONDS = 1.0
IDLE_SECONDS = 60.0
# With the broker away callers must not wait one after the other for the same answer.
_UNAVAILABLE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Named:
    """Field of a verdict that decides whether a caller waits for it."""

    transaction_id: str


class KafkaVerdicts:
    """``VerdictListener``: one consumer of a topic of verdicts for all callers."""

    def __init__(
        self,
        settings: KafkaSettings,
        pending: PendingVerdictRegistry,
        *,
        topic: str = FRAUD_TOPIC,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._settings, self._pending, self._topic = settings, pending, topic
        self._idle_seconds = idle_seconds
        self._starting = threading.Lock()
        self._is_listening = False
        self._asked_again_at = 0.0

    def listen(self) -> None:
        with self._starting:
            if not self._is_listening:
                if time.monotonic() < self._asked_again_at:
                    raise VerdictsUnavailable(
                        f"{self._topic} could not be read a moment ago, so this caller gets no "
                        "verdict; its purchases are accepted and scored anyway"
                    )
                consumer = self._consumer_at_end()
                threading.Thread(
                    target=self._read, args=(consumer,), name="verdicts", daemon=True
                ).start()
                self._is_listening = True

    def _consumer_at_end(self) -> Consumer:
        """Create a consumer at the current end offsets, so that no later message is missed."""
        consumer = Consumer(
            client_config(self._settings)
            | {
                # Required by the client and within the user's rights; nothing is committed.
                "group.id": f"{self._settings.username}-verdicts",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "latest",
            }
        )
        try:
            consumer.assign(_ends(consumer, self._topic))
        except KafkaException as error:
            consumer.close()
            self._asked_again_at = time.monotonic() + _UNAVAILABLE_SECONDS
            raise VerdictsUnavailable(
                f"{self._topic} cannot be read ({error}), so no caller gets a verdict; purchases "
                "are accepted and scored anyway; see whether kafka runs and kafka_setup has run"
            ) from error
        return consumer

    def _read(self, consumer: Consumer) -> None:
        needed_at = time.monotonic()
        while True:
            message = consumer.poll(_POLL_SECONDS)
            if message is not None:
                self._hand_over(message)
            if self._pending:
                needed_at = time.monotonic()
            elif time.monotonic() - needed_at > self._idle_seconds and self._stopped(consumer):
                return

    def _stopped(self, consumer: Consumer) -> bool:
        # A caller registers before it calls listen(): it is found here, or it waits for this lock
        # and starts a new consumer.
        with self._starting:
            if self._pending:
                return False
            self._is_listening = False
            consumer.close()
            return True

    def _hand_over(self, message: Message) -> None:
        if (error := message.error()) is not None:
            log.warning(
                "%s: %s; a caller that waits for a verdict may time out", self._topic, error
            )
        elif self._pending:
            value = message.value() or b""
            try:
                name = decode(_Named, value).transaction_id
                self._pending.resolve(name, partial(decode, Verdict, value))
            except Refused:
                return  # the persister dead-letters it


def _ends(consumer: Consumer, name: str) -> list[TopicPartition]:
    topic = consumer.list_topics(name, timeout=_ANSWER_SECONDS).topics[name]
    if topic.error is not None:
        raise KafkaException(topic.error)
    partitions = [TopicPartition(name, number) for number in topic.partitions]
    for one in partitions:
        _, one.offset = consumer.get_watermark_offsets(one, timeout=_ANSWER_SECONDS)
    return partitions
