"""Loop of the tally: consume, count, save, commit; pause while the store is unavailable."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.kafka_log.consumer_group import Consumer, GroupReader, Message
from fraudwatch.adapters.kafka_log.known_topics import KnownTopics
from fraudwatch.application.console.tallying import Tallying
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.fields import problems
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.tally import is_countable
from fraudwatch.observability.metrics import counter, gauge
from fraudwatch.topics import FRAUD_TOPIC, TRANSACTION_TOPIC

log = logging.getLogger("tally")

_verdicts = counter("fraudwatch_tally_verdicts")
_copies = counter("fraudwatch_tally_copies")
_unreadable = counter("fraudwatch_tally_unreadable")
_paused = gauge("fraudwatch_tally_paused")
_lag = gauge("fraudwatch_tally_lag_seconds")
_counted_until = gauge("fraudwatch_tally_counted_until_seconds")


class TallyLoop:
    """Consume, count, save and commit until stopped.

    A read ends after ``poll_seconds`` or ``max_records`` messages, whichever comes first, and is
    saved at once: so the store is written about once a second, and at most one read is counted
    again after a crash.
    """

    def __init__(
        self,
        consumer: Consumer,
        tallying: Tallying,
        now_ms: Callable[[], int],
        *,
        max_records: int,
        poll_seconds: float,
        known: KnownTopics | None = None,
    ) -> None:
        self._reader, self._tallying, self._now_ms = (
            GroupReader(consumer, _paused, known=known),
            tallying,
            now_ms,
        )
        self._max_records, self._poll_seconds = max_records, poll_seconds
        self._known = known
        self._oldest_ms: int | None = None
        self.stopping = self._reader.stopping
        # Evaluated at each scrape, so the age grows while the loop waits for the store.
        _lag.set_function(self._lag_seconds)

    def run(self) -> None:
        """Subscribe and process reads; when stopped, ends after the current read."""
        # Verdicts are counted once by the offsets of their transactions.
        self._reader.subscribe([FRAUD_TOPIC], related=[TRANSACTION_TOPIC])
        if self._known is not None and not self.stopping.is_set():
            self._tallying.topic_id = self._known.topic_id(TRANSACTION_TOPIC)
        while not self.stopping.is_set():
            if messages := self._reader.read(self._max_records, self._poll_seconds):
                self._process(messages)

    def _process(self, messages: Sequence[Message]) -> None:
        times_ms = [message.timestamp()[1] for message in messages]
        self._oldest_ms = min(times_ms)
        waiting = deque(verdict for message in messages if (verdict := _verdict_in(message)))
        if self._reader.retry_until_available(lambda: self._count(waiting)):
            self._reader.commit(messages)
            self._oldest_ms = None
            _counted_until.set(max(times_ms) / 1000)

    def _count(self, waiting: deque[Verdict]) -> None:
        """Count the waiting verdicts and save; a repeated call resumes after an interruption."""
        counted: Counter[bool] = Counter()
        try:
            while waiting:
                counted[self._tallying.count(waiting[0])] += 1
                waiting.popleft()
        finally:
            _verdicts.inc(counted[True])
            _copies.inc(counted[False])
        self._tallying.flush()

    def _lag_seconds(self) -> float:
        """Return the age of the oldest unsaved verdict; 0 when everything consumed is saved."""
        oldest_ms = self._oldest_ms
        return 0.0 if oldest_ms is None else max(0, self._now_ms() - oldest_ms) / 1000


def _verdict_in(message: Message) -> Verdict | None:
    """Decode the verdict; None if it is invalid, which the persister dead-letters."""
    try:
        verdict = decode(Verdict, message.value() or b"")
    except Refused as refusal:
        _skip(message, refusal.reason)
        return None
    if problems(verdict) or not is_countable(verdict):
        _skip(message, "its fields are out of bounds")
        return None
    return verdict


def _skip(message: Message, reason: str) -> None:
    _unreadable.inc()
    origin = f"{message.topic()}-{message.partition()}-{message.offset()}"
    log.warning("not counted, %s: %s", origin, reason)
