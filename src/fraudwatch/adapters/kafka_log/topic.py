"""Producer of one topic for many callers at once: each waits for its own acknowledgements."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import Final

from confluent_kafka import KafkaError, Message, Producer

from fraudwatch.adapters.kafka_log.client import producer_config
from fraudwatch.application.ports import NotDelivered
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import PRODUCED_AT_HEADER

log = logging.getLogger(__name__)

_ACKNOWLEDGED_SECONDS: Final = 60.0
_REPORT_SECONDS: Final = 1.0
_SERVE_SECONDS: Final = 0.5
_FULL_QUEUE_SECONDS: Final = 0.01


class _Delivery:
    """Acknowledgements that one call waits for."""

    def __init__(self, messages: int) -> None:
        self._lock = threading.Lock()
        self._left = messages
        self._failures: list[str] = []
        self._is_over = threading.Event()

    def report(self, error: KafkaError | None, _: Message) -> None:
        """Record the result of one message; called by the thread that serves the producer."""
        with self._lock:
            self._left -= 1
            if error is not None:
                self._failures.append(error.str())
            if not self._left:
                self._is_over.set()

    def wait(self, timeout_seconds: float) -> None:
        """Wait until every message of the call is acknowledged.

        Raises:
            NotDelivered: a message was not acknowledged.
        """
        self._is_over.wait(timeout_seconds + _REPORT_SECONDS)
        with self._lock:
            unsent, failures = self._left, self._failures
            if unsent or failures:
                first = failures[0] if failures else f"not acknowledged in {timeout_seconds:.0f} s"
                raise NotDelivered(
                    f"{unsent + len(failures)} messages did not reach the broker: {first}; "
                    "nothing was committed, they are sent again"
                )


class KafkaTopic:
    """``Publisher`` of one topic, idempotent, for any number of threads.

    Calls do not wait for each other: with the broker away each of them fails after its own timeout.
    The messages of one call are sent in order.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        topic: str,
        *,
        linger_ms: int = 0,
        timeout_seconds: float = _ACKNOWLEDGED_SECONDS,
    ) -> None:
        """``timeout_seconds`` bounds the wait for acknowledgements."""
        self._topic, self._timeout_seconds = topic, timeout_seconds
        self._starting = threading.Lock()
        self._is_served = False
        self.producer = Producer(
            producer_config(settings, linger_ms=linger_ms)
            | {
                "message.timeout.ms": int(timeout_seconds * 1000),
                # Without it the driver raises a fatal error inside a callback. Messages of a failed
                # producer are reported, or time out.
                "error_cb": _log_fatal,
            }
        )

    def publish(self, messages: Sequence[tuple[str, bytes, int]]) -> None:
        self.send([(k, v, {PRODUCED_AT_HEADER: str(at).encode()}) for k, v, at in messages])

    def send(self, messages: Sequence[tuple[str, bytes, Mapping[str, bytes]]]) -> None:
        """Send (key, value, headers) in order and wait until all are acknowledged."""
        if not messages:
            return
        self._serve()
        delivery = _Delivery(len(messages))
        for key, value, headers in messages:
            self._put(key, value, list(headers.items()), delivery)
        delivery.wait(self._timeout_seconds)

    def _put(
        self, key: str, value: bytes, headers: list[tuple[str, str | bytes | None]], to: _Delivery
    ) -> None:
        while True:
            try:
                self.producer.produce(
                    self._topic, value, key, headers=headers, on_delivery=to.report
                )
            except BufferError:  # the queue is full: let it drain, then try again
                time.sleep(_FULL_QUEUE_SECONDS)
            else:
                return

    def _serve(self) -> None:
        with self._starting:
            if not self._is_served:
                threading.Thread(
                    target=_serve, args=(weakref.ref(self),), name=f"ack {self._topic}", daemon=True
                ).start()
                self._is_served = True


def _serve(topic: weakref.ref[KafkaTopic]) -> None:
    """Serve the callbacks of a topic's producer until nothing refers to the topic any more."""
    while (current := topic()) is not None:
        producer = current.producer
        del current
        producer.poll(_SERVE_SECONDS)


def _log_fatal(error: KafkaError) -> None:
    # The driver recovers from others by itself, and logs them.
    if error.fatal():
        log.error("the producer cannot go on: %s", error.str())
