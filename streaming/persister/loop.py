"""The persister's loop: read, write, commit; rest while the store is away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from confluent_kafka import Consumer, Message

from fraudwatch.adapters.kafka_log.consumer_group import GroupReader
from fraudwatch.observability.metrics import counter, gauge
from streaming.persister.entries import CONTENTS, Entry, read
from streaming.persister.writing import Persister, spent

_batches = counter("fraudwatch_persister_batches")
_paused = gauge("fraudwatch_persister_paused")
_lag = gauge("fraudwatch_persister_lag_seconds")
_written_until = gauge("fraudwatch_persister_written_until_seconds")


class Loop:
    """Read, write, commit, until told to stop."""

    def __init__(self, consumer: Consumer, persister: Persister, most: int) -> None:
        self._reader = GroupReader(consumer, _paused, resting=partial(spent, "resting"))
        self._persister, self._most = persister, most
        self._in_hand = InHand(persister.now_ms)
        self.stopping = self._reader.stopping

    def run(self) -> None:
        """Subscribe and work; ends after the batch in hand when told to stop."""
        self._reader.subscribe(list(CONTENTS))
        while not self.stopping.is_set():
            with spent("polling"):
                messages = self._reader.read(self._most)
            if messages:
                self._take(messages)

    def _take(self, messages: Sequence[Message]) -> None:
        with spent("decoding"):
            entries = [read(message) for message in messages]
        self._in_hand.take(entries)
        if self._reader.when_possible(lambda: self._persister.persist(entries)):
            with spent("committing"):
                self._reader.commit(messages)
            self._in_hand.let_go(entries)
            _batches.inc()


class InHand:
    """How old the oldest message is that was read and is not written yet, topic by topic.

    Asked when the metrics are read, so the age grows while the loop waits for the store.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._oldest_ms: dict[str, int] = {}
        for topic in CONTENTS:
            _lag.labels(topic=topic).set_function(partial(self.age_seconds, topic))

    def age_seconds(self, topic: str) -> float:
        """0 when everything that was read is written."""
        oldest_ms = self._oldest_ms.get(topic)
        return 0.0 if oldest_ms is None else max(0, self._now_ms() - oldest_ms) / 1000

    def take(self, entries: Sequence[Entry]) -> None:
        """These are to be written."""
        oldest_ms: dict[str, int] = {}
        for entry in entries:
            at_ms = entry.produced_at_ms
            oldest_ms[entry.topic] = min(at_ms, oldest_ms.get(entry.topic, at_ms))
        self._oldest_ms = oldest_ms

    def let_go(self, entries: Sequence[Entry]) -> None:
        """These are durable, as rows or as dead letters, and committed."""
        self._oldest_ms = {}
        newest_ms: dict[str, int] = {}
        for entry in entries:
            newest_ms[entry.topic] = max(entry.produced_at_ms, newest_ms.get(entry.topic, 0))
        for topic, at_ms in newest_ms.items():
            _written_until.labels(topic=topic).set(at_ms / 1000)
