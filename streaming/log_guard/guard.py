"""Delete the oldest messages that all readers and the archive have, while the disk is full."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from fraudwatch.adapters.kafka_log.positions import Partition, TimedOffset
from fraudwatch.domain.disk_guard import (
    AGES_MS,
    DiskLimits,
    DiskPressure,
    Offsets,
    deletable_before,
)
from fraudwatch.observability.metrics import counter, gauge
from fraudwatch.topics import ARCHIVE_GROUP, FEATURE_TOPIC, FRAUD_TOPIC, TRANSACTION_TOPIC

log = logging.getLogger("log_guard")

# Consumer groups by topic; the detector's position in its topic is that of its snapshots.
READERS: Final[Mapping[str, tuple[str, ...]]] = {
    TRANSACTION_TOPIC: ("persister", ARCHIVE_GROUP),
    FRAUD_TOPIC: ("persister", "tally", "notifier", "webhooks", ARCHIVE_GROUP),
    FEATURE_TOPIC: (ARCHIVE_GROUP,),
}

_free_bytes = gauge("fraudwatch_log_guard_free_bytes")
_pressure = gauge("fraudwatch_log_guard_pressure")
_deleted = counter("fraudwatch_log_guard_deleted_messages")


class GuardedLog(Protocol):
    """The broker's topics, as the guard uses them."""

    def partitions(self) -> list[Partition]:
        """List the partitions of every topic."""

    def starts(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Return first offsets."""

    def ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Return end offsets."""

    def first_since(self, times_ms: Mapping[Partition, int]) -> dict[Partition, TimedOffset | None]:
        """Find the first message of each partition that is not older than a time."""

    def committed(self) -> dict[str, dict[Partition, int]]:
        """Return the committed offsets of every group."""


@dataclass(slots=True, kw_only=True)
class LogGuard:
    """Guard of the topics; :meth:`check` is called every few seconds."""

    broker: GuardedLog
    delete_before: Callable[[str, Offsets], None]
    snapshots: Callable[[], Offsets | None]
    free_bytes: Callable[[], int]
    now_ms: Callable[[], int]
    limits: DiskLimits
    step_ms: int
    needs_archive: bool = True
    _step: int = 0
    _stepped_at_ms: int | None = None

    def check(self) -> DiskPressure:
        """Look at the disk, and delete one step more while it is full.

        Raises:
            BrokerUnavailable: the broker does not answer; the same step is tried again.
        """
        free = self.free_bytes()
        pressure = self.limits.pressure(free)
        _free_bytes.set(free)
        _pressure.set(pressure)
        if pressure is DiskPressure.NONE:
            self._step, self._stepped_at_ms = 0, None
        elif self._stepped_at_ms is None or self.now_ms() - self._stepped_at_ms >= self.step_ms:
            self._delete(AGES_MS[self._step])
            self._step = min(self._step + 1, len(AGES_MS) - 1)
            self._stepped_at_ms = self.now_ms()
        return pressure

    def _delete(self, age_ms: int) -> None:
        committed = self.broker.committed()
        for topic, groups in READERS.items():
            partitions = [one for one in self.broker.partitions() if one.topic == topic]
            starts, ends = self.broker.starts(partitions), self.broker.ends(partitions)
            before_ms = self.now_ms() - age_ms
            young = self.broker.first_since(dict.fromkeys(partitions, before_ms))
            older_than = {
                one.number: ends[one] if (first := young[one]) is None else first.offset
                for one in partitions
            }
            read: list[Offsets | None] = [
                _of_topic(topic, committed.get(group, {}))
                for group in groups
                if group != ARCHIVE_GROUP or self.needs_archive
            ]
            if topic == TRANSACTION_TOPIC:
                read.append(self.snapshots())
            elif not read:  # without an archive, vectors are for the models that the topic trains
                continue
            self._delete_from(
                topic, {one.number: at for one, at in starts.items()}, read, older_than
            )

    def _delete_from(
        self, topic: str, starts: Offsets, read: Iterable[Offsets | None], older_than: Offsets
    ) -> None:
        found = deletable_before(starts, read, older_than)
        if not found:
            log.warning("the disk is full, and nothing of %s is old enough and read by all", topic)
            return
        self.delete_before(topic, found)
        count = sum(at - starts[number] for number, at in found.items())
        _deleted.labels(topic=topic).inc(count)
        log.warning("the disk is full: deleted %d messages of %s that all have read", count, topic)


def _of_topic(topic: str, offsets: Mapping[Partition, int]) -> dict[int, int]:
    return {one.number: at for one, at in offsets.items() if one.topic == topic}
