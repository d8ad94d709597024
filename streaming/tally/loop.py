"""The tally's loop: read verdicts, count, save, commit; rest while the store is away."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence

from confluent_kafka import Consumer, Message

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.kafka_log.consumer_group import GroupReader
from fraudwatch.application.console.tallying import Tallying
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.fields import problems
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.tally import is_countable
from fraudwatch.observability.metrics import counter, gauge
from fraudwatch.topics import FRAUD_TOPIC

log = logging.getLogger("tally")

_verdicts = counter("fraudwatch_tally_verdicts")
_copies = counter("fraudwatch_tally_copies")
_unreadable = counter("fraudwatch_tally_unreadable")
_paused = gauge("fraudwatch_tally_paused")
_lag = gauge("fraudwatch_tally_lag_seconds")
_counted_until = gauge("fraudwatch_tally_counted_until_seconds")


class Loop:
    """Read, count, save, commit, until told to stop.

    A read ends after ``poll_seconds`` or ``most`` messages, whichever comes first, and each is
    saved at once: so the store is written to about once a second, and less wants to be counted
    again after a crash than is read in one go.
    """

    def __init__(
        self,
        consumer: Consumer,
        tallying: Tallying,
        now_ms: Callable[[], int],
        *,
        most: int,
        poll_seconds: float,
    ) -> None:
        self._reader, self._tallying, self._now_ms = (
            GroupReader(consumer, _paused),
            tallying,
            now_ms,
        )
        self._most, self._poll_seconds = most, poll_seconds
        self._oldest_ms: int | None = None
        self.stopping = self._reader.stopping
        # Asked when the metrics are read, so the age grows while the loop waits for the store.
        _lag.set_function(self._lag_seconds)

    def run(self) -> None:
        """Subscribe and work; ends after the messages in hand when told to stop."""
        self._reader.subscribe([FRAUD_TOPIC])
        while not self.stopping.is_set():
            if messages := self._reader.read(self._most, self._poll_seconds):
                self._take(messages)

    def _take(self, messages: Sequence[Message]) -> None:
        times_ms = [message.timestamp()[1] for message in messages]
        self._oldest_ms = min(times_ms)
        waiting = deque(found for message in messages if (found := _verdict_in(message)))
        if self._reader.when_possible(lambda: self._count(waiting)):
            self._reader.commit(messages)
            self._oldest_ms = None
            _counted_until.set(max(times_ms) / 1000)

    def _count(self, waiting: deque[Verdict]) -> None:
        """Count what waits and save it; called again, it goes on where it was interrupted."""
        while waiting:
            is_new = self._tallying.count(waiting[0])
            waiting.popleft()
            (_verdicts if is_new else _copies).inc()
        self._tallying.flush()

    def _lag_seconds(self) -> float:
        """0 when everything that was read is saved."""
        oldest_ms = self._oldest_ms
        return 0.0 if oldest_ms is None else max(0, self._now_ms() - oldest_ms) / 1000


def _verdict_in(message: Message) -> Verdict | None:
    """The verdict; None where there is none to count, which the persister makes a dead letter."""
    try:
        verdict = decode(Verdict, message.value() or b"")
    except Refused as why:
        _pass_over(message, why.reason)
        return None
    if problems(verdict) or not is_countable(verdict):
        _pass_over(message, "its fields are out of bounds")
        return None
    return verdict


def _pass_over(message: Message, reason: str) -> None:
    _unreadable.inc()
    place = f"{message.topic()}-{message.partition()}-{message.offset()}"
    log.warning("not counted, %s: %s", place, reason)
