"""Time sampled purchases from their sending to their verdict on ``fraud_topic``."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.stream_probe import consumer_at_end
from chaos.traffic import id_of
from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.kafka_log.log import raise_for_error
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import FRAUD_TOPIC

_AT_ONCE = 1_000
_WAIT_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class _VerdictOf:
    """The transaction of a verdict, without its other fields."""

    transaction_id: str


@dataclass(slots=True)
class VerdictTimes:
    """Timer of one purchase of each batch; a late verdict is timed too, whenever it comes.

    Repeats and purchases that are dead-lettered get no verdict of their own: they are never timed.
    """

    kafka: KafkaSettings
    stopping: threading.Event = field(default_factory=threading.Event)
    _sent_at: dict[str, float] = field(default_factory=dict)
    _times_ms: list[float] = field(default_factory=list)

    def sending(self, purchases: Sequence[Purchase]) -> None:
        """Note the time before a batch is sent for the first time."""
        self._sent_at.setdefault(id_of(purchases[0]), time.monotonic())

    def take_ms(self) -> list[float]:
        """Return the times since the last call."""
        times_ms, self._times_ms = self._times_ms, []
        return times_ms

    def run(self) -> None:
        """Read verdicts until stopped.

        Raises:
            ConnectionError: the broker answered with an error.
        """
        consumer = consumer_at_end(self.kafka, FRAUD_TOPIC)
        try:
            while not self.stopping.is_set():
                messages = consumer.consume(_AT_ONCE, timeout=_WAIT_SECONDS)
                now = time.monotonic()
                for message in messages:
                    raise_for_error(message)
                    name = decode(_VerdictOf, message.value() or b"").transaction_id
                    sent_at = self._sent_at.pop(name, None)
                    if sent_at is not None:
                        self._times_ms.append(1000 * (now - sent_at))
        finally:
            consumer.close()
