"""Loop of the notifier: consume, record, commit; delivery has threads of its own.

An offset is committed when its verdict is recorded, not when people have got it. So a mail server
that is down neither stops the consumption nor the other channels, and what waits is on disk.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.kafka_log.consumer_group import Consumer, GroupReader, Message
from fraudwatch.adapters.kafka_log.known_topics import KnownTopics
from fraudwatch.application.notifying.record_verdicts import RecordVerdicts
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.fields import problems
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.observability.metrics import counter, gauge
from fraudwatch.topics import FRAUD_TOPIC

log = logging.getLogger("notifier")

_verdicts = counter("fraudwatch_notifier_verdicts")
_alerts = counter("fraudwatch_notifier_alerts")
_unreadable = counter("fraudwatch_notifier_unreadable")
_paused = gauge("fraudwatch_notifier_paused")


class NotifierLoop:
    """Consume, record and commit until stopped."""

    def __init__(
        self,
        consumer: Consumer,
        recording: RecordVerdicts,
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
        self._reader.subscribe([FRAUD_TOPIC])
        while not self.stopping.is_set():
            if messages := self._reader.read(self._max_records, self._poll_seconds):
                self._process(messages)

    def _process(self, messages: Sequence[Message]) -> None:
        verdicts = [verdict for message in messages if (verdict := _verdict_in(message))]

        def record() -> None:
            _alerts.inc(self._recording.record(verdicts))

        if self._reader.retry_until_available(record):
            self._reader.commit(messages)
            _verdicts.inc(len(verdicts))


def _verdict_in(message: Message) -> Verdict | None:
    """Decode the verdict; None if it is invalid, which the persister dead-letters."""
    try:
        verdict = decode(Verdict, message.value() or b"")
    except Refused as refusal:
        _skip(message, refusal.reason)
        return None
    if problems(verdict):
        _skip(message, "its fields are out of bounds")
        return None
    return verdict


def _skip(message: Message, reason: str) -> None:
    _unreadable.inc()
    origin = f"{message.topic()}-{message.partition()}-{message.offset()}"
    log.warning("not recorded, %s: %s", origin, reason)
