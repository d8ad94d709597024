"""Consume in a consumer group: pause while the store is unavailable, commit after the write."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from typing import TypeVar

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaException, Message, TopicPartition
from prometheus_client import Gauge

from fraudwatch.adapters.kafka_log.known_topics import KnownTopics
from fraudwatch.adapters.kafka_log.log import raise_for_error
from fraudwatch.adapters.kafka_log.positions import BrokerUnavailable
from fraudwatch.adapters.kafka_log.topic_check import TopicChanged
from fraudwatch.application.ports import StoreUnavailable

# A loop names the driver's types without importing the driver itself.
__all__ = ["Consumer", "GroupReader", "Message"]

log = logging.getLogger(__name__)
Store = TypeVar("Store")

FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.2, 5.0
_POLL_SECONDS = 0.05
_WATERMARK_SECONDS = 30.0
RECHECK_SECONDS = 30.0


def open_with_retry(open_store: Callable[[], Store]) -> Store:
    """Open the store, retrying while it is unavailable: a consumer may start before Cassandra."""
    wait_seconds = FIRST_RETRY_SECONDS
    while True:
        try:
            return open_store()
        except StoreUnavailable as error:
            log.warning("%s; retrying in %.1f s", error, wait_seconds)
            time.sleep(wait_seconds)
            wait_seconds = min(2 * wait_seconds, LONGEST_RETRY_SECONDS)


class GroupReader:
    """A consumer with explicit commits that stays in its group while the store is unavailable."""

    def __init__(
        self,
        consumer: Consumer,
        paused: Gauge,
        *,
        while_paused: Callable[[], AbstractContextManager[None]] = nullcontext,
        known: KnownTopics | None = None,
    ) -> None:
        """Create a reader that consumes nothing yet.

        Args:
            consumer: of the group, not subscribed yet.
            paused: 1 while consumption is paused.
            while_paused: context entered during a pause, to measure it.
            known: the topics that the group has read, to recognise another one of the same name.
        """
        self._consumer, self._paused_gauge, self._while_paused = consumer, paused, while_paused
        self._known = known
        self._topics: tuple[str, ...] = ()
        self._refused: set[str] = set()
        self._on_refused: Callable[[str, bool], None] | None = None
        self._recheck_at = 0.0
        self._is_paused = False
        self.stopping = threading.Event()

    def subscribe(
        self,
        topics: Sequence[str],
        *,
        related: Sequence[str] = (),
        on_refused: Callable[[str, bool], None] | None = None,
    ) -> None:
        """Join the group; consumption starts at its committed offsets.

        Args:
            topics: to consume.
            related: topics that are not read, but whose offsets are in what is stored.
            on_refused: called with each topic and whether it is refused. The others are consumed
                meanwhile, and a refused one too once it is accepted.

        Raises:
            TopicChanged: a topic is not the one that the group has read, or lacks its offsets; with
                ``on_refused`` only if no topic is left.
        """
        self._topics, self._on_refused = tuple(topics), on_refused
        if self._known is not None:
            for topic in related:
                self._check(self._known, topic)
            for topic in topics:
                self._check_or_leave_out(topic, partial(self._check, self._known, topic))
        self._recheck_at = time.monotonic() + RECHECK_SECONDS
        self._join()

    def read(self, max_records: int, timeout_seconds: float = _POLL_SECONDS) -> list[Message]:
        """Consume up to ``max_records`` messages, or fewer after the timeout."""
        if self._refused and time.monotonic() >= self._recheck_at:
            self._recheck()
        messages = self._consumer.consume(max_records, timeout=timeout_seconds)
        for message in messages:
            raise_for_error(message)
        return messages

    def retry_until_available(self, action: Callable[[], None]) -> bool:
        """Run the action, pausing while the store is unavailable; False when stopped before."""
        wait_seconds = FIRST_RETRY_SECONDS
        while not self.stopping.is_set():
            try:
                action()
            except StoreUnavailable as error:
                log.warning("%s; retrying in %.1f s", error, wait_seconds)
                with self._while_paused():
                    self._pause(wait_seconds)
                wait_seconds = min(2 * wait_seconds, LONGEST_RETRY_SECONDS)
            else:
                self._resume()
                return True
        return False

    def commit(self, messages: Sequence[Message]) -> None:
        """Commit these messages, and with them all before them in their partitions."""
        ends: dict[tuple[str, int], int] = {}
        for m in messages:
            ends[m.topic() or "", m.partition() or 0] = (m.offset() or 0) + 1
        assigned = {(p.topic, p.partition) for p in self._consumer.assignment()}
        offsets = [
            TopicPartition(*partition, end)
            for partition, end in ends.items()
            if partition in assigned
        ]
        if offsets:
            self._consumer.commit(offsets=offsets, asynchronous=False)
            if self._known is not None:
                self._known.committed((one.topic, one.partition) for one in offsets)

    def _join(self) -> None:
        accepted = [topic for topic in self._topics if topic not in self._refused]
        self._consumer.subscribe(accepted, on_assign=self._start_at_committed)

    def _check_or_leave_out(self, topic: str, check: Callable[[], None]) -> None:
        try:
            check()
        except TopicChanged as error:
            self._refused.add(topic)
            if self._on_refused is None or len(self._refused) == len(self._topics):
                raise
            log.error("%s; the other topics are read meanwhile", error)  # noqa: TRY400  a sentence
        else:
            self._refused.discard(topic)
        if self._on_refused is not None:
            self._on_refused(topic, topic in self._refused)

    def _recheck(self) -> None:
        """Consume refused topics that an operator has accepted since."""
        self._recheck_at = time.monotonic() + RECHECK_SECONDS
        if self._known is None:
            return
        before, check = sorted(self._refused), self._known.check
        for topic in before:
            with suppress(BrokerUnavailable):  # consuming reports that
                self._check_or_leave_out(topic, partial(check, topic, self._committed))
        if sorted(self._refused) != before:
            self._join()

    def _check(self, known: KnownTopics, topic: str) -> None:
        """Check a topic, retrying while the broker is unavailable."""
        wait_seconds = FIRST_RETRY_SECONDS
        while not self.stopping.is_set():
            try:
                known.check(topic, self._committed)
            except BrokerUnavailable as error:
                log.warning("%s; retrying in %.1f s", error, wait_seconds)
                self.stopping.wait(wait_seconds)
                wait_seconds = min(2 * wait_seconds, LONGEST_RETRY_SECONDS)
            else:
                return

    def _committed(self, topic: str, partitions: Iterable[int]) -> dict[int, int]:
        asked = [TopicPartition(topic, number) for number in partitions]
        if not asked:
            return {}
        try:
            found = self._consumer.committed(asked, timeout=_WATERMARK_SECONDS)
        except KafkaException as error:
            raise BrokerUnavailable(
                f"the committed offsets of {topic} are unknown ({error}), so nothing was read; see "
                "whether kafka runs"
            ) from error
        return {one.partition: one.offset for one in found if one.offset >= 0}

    def _pause(self, seconds: float) -> None:
        """Pause consumption and poll, to stay a member of the group."""
        self._paused_gauge.set(1)
        self._is_paused = True
        self._consumer.pause(self._consumer.assignment())
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.stopping.is_set():
            if (message := self._consumer.poll(_POLL_SECONDS)) is not None:
                raise_for_error(message)
                raise RuntimeError("a paused partition delivered a message; nothing is committed")

    def _resume(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._consumer.resume(self._consumer.assignment())
            self._paused_gauge.set(0)

    def _start_at_committed(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Start at the committed offsets; a new group starts at the first message."""
        for partition in consumer.committed(partitions, timeout=_WATERMARK_SECONDS):
            is_anew = self._known is not None and self._known.is_anew(
                partition.topic, partition.partition
            )
            start = (
                None
                if self._known is None
                else self._known.start_of(partition.topic, partition.partition)
            )
            if start is not None:
                partition.offset = start
            elif is_anew or partition.offset == OFFSET_INVALID:
                low, _ = consumer.get_watermark_offsets(partition, timeout=_WATERMARK_SECONDS)
                partition.offset = low
            consumer.incremental_assign([partition])
            if self._is_paused:  # a partition may be assigned while nothing can be written
                consumer.pause([partition])
            log.info(
                "consuming %s-%d from offset %d",
                partition.topic,
                partition.partition,
                partition.offset,
            )
