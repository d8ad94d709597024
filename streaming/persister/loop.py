"""Loop of the persister: consume, write, commit; pause while the store is unavailable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from fraudwatch.adapters.kafka_log.consumer_group import Consumer, GroupReader, Message
from fraudwatch.adapters.kafka_log.known_topics import KnownTopics
from fraudwatch.observability.metrics import counter, gauge
from streaming.persister.entries import CONTENTS, Entry, read
from streaming.persister.writing import Persister, timed

GROUP: Final = "persister"
# What makes up for messages that retention removed before this group read them.
REFILL_COMMAND: Final = "./fraudwatch refill-store"

_batches = counter("fraudwatch_persister_batches")
_paused = gauge("fraudwatch_persister_paused")
_refused = gauge("fraudwatch_persister_topic_refused")
_lag = gauge("fraudwatch_persister_lag_seconds")
_written_until = gauge("fraudwatch_persister_written_until_seconds")


class PersisterLoop:
    """Consume, write and commit until stopped."""

    def __init__(
        self,
        consumer: Consumer,
        persister: Persister,
        max_records: int,
        known: KnownTopics | None = None,
    ) -> None:
        self._reader = GroupReader(
            consumer, _paused, while_paused=partial(timed, "resting"), known=known
        )
        self._persister, self._max_records = persister, max_records
        self._in_flight = InFlight(persister.now_ms)
        self.stopping = self._reader.stopping

    def run(self) -> None:
        """Subscribe and process batches; when stopped, ends after the current batch."""
        # A topic in trouble stops neither the others' rows nor the process.
        self._reader.subscribe(list(CONTENTS), on_refused=_note_refused)
        while not self.stopping.is_set():
            with timed("polling"):
                messages = self._reader.read(self._max_records)
            if messages:
                self._process(messages)

    def _process(self, messages: Sequence[Message]) -> None:
        with timed("decoding"):
            entries = [read(message) for message in messages]
        self._in_flight.add(entries)
        if self._reader.retry_until_available(lambda: self._persister.persist(entries)):
            with timed("committing"):
                self._reader.commit(messages)
            self._in_flight.clear(entries)
            _batches.inc()


def _note_refused(topic: str, is_refused: bool) -> None:  # noqa: FBT001  a callback
    _refused.labels(topic=topic).set(is_refused)


class InFlight:
    """Tracks by topic the age of the oldest message that is consumed and not written yet.

    Evaluated when the metrics are scraped, so the age grows while the loop waits for the store.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._oldest_ms: dict[str, int] = {}
        for topic in CONTENTS:
            _lag.labels(topic=topic).set_function(partial(self.age_seconds, topic))

    def age_seconds(self, topic: str) -> float:
        """Return the age; 0 when everything consumed is written."""
        oldest_ms = self._oldest_ms.get(topic)
        return 0.0 if oldest_ms is None else max(0, self._now_ms() - oldest_ms) / 1000

    def add(self, entries: Sequence[Entry]) -> None:
        """Add the entries that are to be written."""
        oldest_ms: dict[str, int] = {}
        for entry in entries:
            at_ms = entry.produced_at_ms
            oldest_ms[entry.topic] = min(at_ms, oldest_ms.get(entry.topic, at_ms))
        self._oldest_ms = oldest_ms

    def clear(self, entries: Sequence[Entry]) -> None:
        """Clear these entries: they are durable, as rows or dead letters, and committed."""
        self._oldest_ms = {}
        newest_ms: dict[str, int] = {}
        for entry in entries:
            newest_ms[entry.topic] = max(entry.produced_at_ms, newest_ms.get(entry.topic, 0))
        for topic, at_ms in newest_ms.items():
            _written_until.labels(topic=topic).set(at_ms / 1000)
