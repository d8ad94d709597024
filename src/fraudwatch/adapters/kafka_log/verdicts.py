"""The verdicts as they come, for callers who wait for theirs: read from the end, in no group.

Reading begins with the first who waits and ends when nobody has waited for a minute, so that an
edge that nobody asks spends nothing on it.
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
from fraudwatch.application.intake.pending_verdicts import Expectations
from fraudwatch.application.ports import VerdictsUnheard
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import FRAUD_TOPIC

log = logging.getLogger(__name__)

_ANSWER_SECONDS = 3.0
_POLL_SECONDS = 1.0
IDLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Named:
    """As much of a verdict as tells whether anybody waits for it."""

    transaction_id: str


class KafkaVerdicts:
    """One reader of ``fraud_topic`` for everybody who waits."""

    def __init__(
        self,
        settings: KafkaSettings,
        expectations: Expectations,
        *,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._settings, self._expectations = settings, expectations
        self._idle_seconds = idle_seconds
        self._turning = threading.Lock()
        self._is_listening = False

    def listen(self) -> None:
        """See :class:`~fraudwatch.application.ports.VerdictListener`."""
        with self._turning:
            if not self._is_listening:
                consumer = self._at_the_end()
                threading.Thread(
                    target=self._read, args=(consumer,), name="verdicts", daemon=True
                ).start()
                self._is_listening = True

    def _at_the_end(self) -> Consumer:
        """A consumer whose places are fixed, so that nothing written after this is missed."""
        consumer = Consumer(
            client_config(self._settings)
            | {
                # Asked for by the client and within the user's rights; nothing is ever committed.
                "group.id": f"{self._settings.username}-verdicts",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "latest",
            }
        )
        try:
            consumer.assign(_ends(consumer))
        except KafkaException as error:
            consumer.close()
            raise VerdictsUnheard(
                f"{FRAUD_TOPIC} cannot be read ({error}), so nobody is told a verdict; purchases "
                "are taken and judged all the same; see whether kafka runs and kafka_setup has run"
            ) from error
        return consumer

    def _read(self, consumer: Consumer) -> None:
        heard_at = time.monotonic()
        while True:
            message = consumer.poll(_POLL_SECONDS)
            if message is not None:
                self._hand_over(message)
            if self._expectations:
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > self._idle_seconds and self._stopped(consumer):
                return

    def _stopped(self, consumer: Consumer) -> bool:
        # Whoever waits is entered before he calls listen(): seen here, or waits for this lock and
        # then begins anew.
        with self._turning:
            if self._expectations:
                return False
            self._is_listening = False
            consumer.close()
            return True

    def _hand_over(self, message: Message) -> None:
        if (error := message.error()) is not None:
            log.warning("%s: %s; who waits for a verdict may wait in vain", FRAUD_TOPIC, error)
        elif self._expectations:
            value = message.value() or b""
            try:
                name = decode(_Named, value).transaction_id
                self._expectations.tell(name, partial(decode, Verdict, value))
            except Refused:
                return  # the persister reads it as well and puts it aside


def _ends(consumer: Consumer) -> list[TopicPartition]:
    topic = consumer.list_topics(FRAUD_TOPIC, timeout=_ANSWER_SECONDS).topics[FRAUD_TOPIC]
    if topic.error is not None:
        raise KafkaException(topic.error)
    places = [TopicPartition(FRAUD_TOPIC, number) for number in topic.partitions]
    for place in places:
        _, place.offset = consumer.get_watermark_offsets(place, timeout=_ANSWER_SECONDS)
    return places
