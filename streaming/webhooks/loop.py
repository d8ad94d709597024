"""Loop of the webhooks: consume, record, commit; delivery has threads of its own.

An offset is committed when its event is in the outbox, not when a client has it. So a client that
is down stops neither the consumption nor the other clients.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.kafka_log.consumer_group import Consumer, GroupReader, Message
from fraudwatch.adapters.kafka_log.known_topics import KnownTopics
from fraudwatch.application.webhooks.record_events import RecordEvents
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.fields import problems
from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.webhooks.events import Event, decision_event, verdict_event
from fraudwatch.observability.metrics import counter, gauge
from fraudwatch.topics import FRAUD_TOPIC, LABELS_TOPIC

log = logging.getLogger("webhooks")

_messages = counter("fraudwatch_webhooks_messages")
_recorded = counter("fraudwatch_webhooks_recorded")
_unreadable = counter("fraudwatch_webhooks_unreadable")
_paused = gauge("fraudwatch_webhooks_paused")


class WebhooksLoop:
    """Consume, record and commit until stopped."""

    def __init__(
        self,
        consumer: Consumer,
        recording: RecordEvents,
        *,
        max_records: int,
        poll_seconds: float,
        known: KnownTopics | None = None,
    ) -> None:
        self._reader, self._recording = GroupReader(consumer, _paused, known=known), recording
        self._max_records, self._poll_seconds = max_records, poll_seconds
        self.stopping = self._reader.stopping

    def run(self) -> None:
        """Subscribe and process reads; when stopped, ends after the current read."""
        self._reader.subscribe([FRAUD_TOPIC, LABELS_TOPIC])
        while not self.stopping.is_set():
            if messages := self._reader.read(self._max_records, self._poll_seconds):
                self._process(messages)

    def _process(self, messages: Sequence[Message]) -> None:
        events = [event for message in messages if (event := _event_in(message))]

        def record() -> None:
            _recorded.inc(self._recording.record(events))

        if self._reader.retry_until_available(record):
            self._reader.commit(messages)
            _messages.inc(len(messages))


def _event_in(message: Message) -> Event | None:
    """Decode the event; None for other messages and invalid ones.

    The persister dead-letters what is invalid.
    """
    is_verdict = message.topic() == FRAUD_TOPIC
    value, (_, published_at_ms) = message.value() or b"", message.timestamp()
    try:
        content = decode(Verdict, value) if is_verdict else decode(Label, value)
    except Refused as refusal:
        _skip(message, refusal.reason)
        return None
    if problems(content):
        _skip(message, "its fields are out of bounds")
        return None
    if isinstance(content, Verdict):
        return verdict_event(content, published_at_ms)
    return decision_event(content, published_at_ms)


def _skip(message: Message, reason: str) -> None:
    _unreadable.inc()
    origin = f"{message.topic()}-{message.partition()}-{message.offset()}"
    log.warning("not recorded, %s: %s", origin, reason)
