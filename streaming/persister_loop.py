"""The persister's loop: read, write, commit; rest while the store is away."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from confluent_kafka import OFFSET_INVALID, Consumer, Message, TopicPartition

from fraudwatch.adapters.kafka_log import raise_for_error
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.observability.metrics import counter, gauge
from streaming.persister_entries import CONTENTS, Entry, read
from streaming.persister_writing import Persister, spent

log = logging.getLogger("persister")

FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.2, 5.0
_POLL_SECONDS = 0.05
_WATERMARK_SECONDS = 30.0

_batches = counter("fraudwatch_persister_batches")
_paused = gauge("fraudwatch_persister_paused")
_lag = gauge("fraudwatch_persister_lag_seconds")
_written_until = gauge("fraudwatch_persister_written_until_seconds")


class Loop:
    """Read, write, commit, until told to stop."""

    def __init__(self, consumer: Consumer, persister: Persister, most: int) -> None:
        self._consumer, self._persister, self._most = consumer, persister, most
        self._in_hand = InHand(persister.now_ms)
        self._is_resting = False
        self.stopping = threading.Event()

    def run(self) -> None:
        """Subscribe and work; ends after the batch in hand when told to stop."""
        self._consumer.subscribe(list(CONTENTS), on_assign=self._start_where_left)
        while not self.stopping.is_set():
            with spent("polling"):
                messages = self._consumer.consume(self._most, timeout=_POLL_SECONDS)
            for message in messages:
                raise_for_error(message)
            if messages:
                self._take(messages)

    def _take(self, messages: Sequence[Message]) -> None:
        with spent("decoding"):
            entries = [read(message) for message in messages]
        self._in_hand.take(entries)
        if self._persist_when_possible(entries):
            with spent("committing"):
                self._commit(messages)
            self._in_hand.let_go(entries)
            _batches.inc()

    def _persist_when_possible(self, entries: Sequence[Entry]) -> bool:
        """Write, resting while the store is away; False when stopped before it came back."""
        wait_seconds = FIRST_RETRY_SECONDS
        while not self.stopping.is_set():
            try:
                self._persister.persist(entries)
            except StoreUnavailable as error:
                log.warning("%s; again in %.1f s", error, wait_seconds)
                with spent("resting"):
                    self._rest(wait_seconds)
                wait_seconds = min(2 * wait_seconds, LONGEST_RETRY_SECONDS)
            else:
                self._wake()
                return True
        return False

    def _rest(self, seconds: float) -> None:
        """Stay a member of the group, by polling, without taking anything more."""
        _paused.set(1)
        self._is_resting = True
        self._consumer.pause(self._consumer.assignment())
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.stopping.is_set():
            if (message := self._consumer.poll(_POLL_SECONDS)) is not None:
                raise_for_error(message)
                raise RuntimeError("a paused partition delivered a message; the offset stays")

    def _wake(self) -> None:
        if self._is_resting:
            self._is_resting = False
            self._consumer.resume(self._consumer.assignment())
            _paused.set(0)

    def _commit(self, messages: Sequence[Message]) -> None:
        ends: dict[tuple[str, int], int] = {}
        for m in messages:
            ends[m.topic() or "", m.partition() or 0] = (m.offset() or 0) + 1
        mine = {(p.topic, p.partition) for p in self._consumer.assignment()}
        done = [TopicPartition(*place, end) for place, end in ends.items() if place in mine]
        if done:
            self._consumer.commit(offsets=done, asynchronous=False)

    def _start_where_left(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Go on at the committed offset; a group that never read begins at the first message."""
        for partition in consumer.committed(partitions, timeout=_WATERMARK_SECONDS):
            if partition.offset == OFFSET_INVALID:
                low, _ = consumer.get_watermark_offsets(partition, timeout=_WATERMARK_SECONDS)
                partition.offset = low
            consumer.incremental_assign([partition])
            if self._is_resting:  # it may come to us while nothing can be written
                consumer.pause([partition])
            log.info(
                "reading %s-%d from %d", partition.topic, partition.partition, partition.offset
            )


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
