"""Reading as a member of a group: rest while a store is away, commit what is done, lose nothing."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

from confluent_kafka import OFFSET_INVALID, Consumer, Message, TopicPartition
from prometheus_client import Gauge

from fraudwatch.adapters.kafka_log.log import raise_for_error
from fraudwatch.application.ports import StoreUnavailable

log = logging.getLogger(__name__)
Opened = TypeVar("Opened")

FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.2, 5.0
_POLL_SECONDS = 0.05
_WATERMARK_SECONDS = 30.0


def opened_when_possible(open_store: Callable[[], Opened]) -> Opened:
    """The store, waited for: its writer may be up before Cassandra is back."""
    wait_seconds = FIRST_RETRY_SECONDS
    while True:
        try:
            return open_store()
        except StoreUnavailable as error:
            log.warning("%s; again in %.1f s", error, wait_seconds)
            time.sleep(wait_seconds)
            wait_seconds = min(2 * wait_seconds, LONGEST_RETRY_SECONDS)


class GroupReader:
    """A consumer whose offsets move only when told to, and who waits for a store as a member."""

    def __init__(
        self,
        consumer: Consumer,
        paused: Gauge,
        *,
        resting: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Nothing is read yet.

        Args:
            consumer: of the group, not subscribed yet.
            paused: 1 while reading rests.
            resting: what to be in while it does, to measure it.
        """
        self._consumer, self._paused, self._resting = consumer, paused, resting
        self._is_resting = False
        self.stopping = threading.Event()

    def subscribe(self, topics: Sequence[str]) -> None:
        """Join the group; reading begins where the group left."""
        self._consumer.subscribe(list(topics), on_assign=self._start_where_left)

    def read(self, most: int, timeout_seconds: float = _POLL_SECONDS) -> list[Message]:
        """At most so many messages: once they are there, or when the time is up."""
        messages = self._consumer.consume(most, timeout=timeout_seconds)
        for message in messages:
            raise_for_error(message)
        return messages

    def when_possible(self, deed: Callable[[], None]) -> bool:
        """Do it, resting while the store is away; False when stopped before it came back."""
        wait_seconds = FIRST_RETRY_SECONDS
        while not self.stopping.is_set():
            try:
                deed()
            except StoreUnavailable as error:
                log.warning("%s; again in %.1f s", error, wait_seconds)
                with self._resting():
                    self._rest(wait_seconds)
                wait_seconds = min(2 * wait_seconds, LONGEST_RETRY_SECONDS)
            else:
                self._wake()
                return True
        return False

    def commit(self, messages: Sequence[Message]) -> None:
        """These are done for good, and everything before them in their partitions."""
        ends: dict[tuple[str, int], int] = {}
        for m in messages:
            ends[m.topic() or "", m.partition() or 0] = (m.offset() or 0) + 1
        mine = {(p.topic, p.partition) for p in self._consumer.assignment()}
        done = [TopicPartition(*place, end) for place, end in ends.items() if place in mine]
        if done:
            self._consumer.commit(offsets=done, asynchronous=False)

    def _rest(self, seconds: float) -> None:
        """Stay a member of the group, by polling, without taking anything more."""
        self._paused.set(1)
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
            self._paused.set(0)

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
