"""The persister: both topics into Cassandra, written before committed.

``python -m streaming.persister`` reads transactions and verdicts independently and never joins
them. An offset moves only after its row is durable or its dead letter is acknowledged. While the
store is away, reading rests and membership in the group is kept; rows are idempotent, so whatever
is read twice after a crash changes nothing.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from confluent_kafka import OFFSET_INVALID, Consumer, Message, TopicPartition
from prometheus_client import start_http_server

from fraudwatch.adapters.cassandra_session import connect
from fraudwatch.adapters.cassandra_store import CassandraVerdictStore
from fraudwatch.adapters.json_codec import decode
from fraudwatch.adapters.kafka_log import KafkaDeadLetters, group_consumer, raise_for_error
from fraudwatch.application.ports import DeadLetters, RowRefused, StoreUnavailable, VerdictStore
from fraudwatch.domain.dead_letter import Code, DeadLetter, Refused, Stage
from fraudwatch.domain.fields import Problem
from fraudwatch.domain.transaction import Transaction
from fraudwatch.domain.verdict import Verdict
from fraudwatch.observability.logs import configure_logging
from fraudwatch.observability.metrics import counter, gauge, histogram
from fraudwatch.settings import CassandraSettings, KafkaSettings, PersisterSettings
from fraudwatch.topics import FRAUD_TOPIC, PRODUCED_AT_HEADER, TRANSACTION_TOPIC

log = logging.getLogger("persister")

GROUP = "persister"
_POLL_SECONDS = 0.05
_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS = 0.2, 5.0
_WATERMARK_SECONDS = 30.0

_rows = counter("fraudwatch_persister_rows")
_dead_letters = counter("fraudwatch_dead_letters")
_event_to_row = histogram("fraudwatch_event_to_row_seconds")
_paused = gauge("fraudwatch_persister_paused")


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of a topic with what it says, or why it says nothing."""

    message: Message
    content: Verdict | Transaction | Refused

    @property
    def origin(self) -> str:
        """Where it stands, unique over all topics."""
        return f"{self.message.topic()}-{self.message.partition()}-{self.message.offset()}"


def read(message: Message) -> Entry:
    """Decode a message by its topic."""
    payload = message.value() or b""
    try:
        if message.topic() == FRAUD_TOPIC:
            return Entry(message, decode(Verdict, payload))
        return Entry(message, decode(Transaction, payload))
    except Refused as why:
        return Entry(message, why)


@dataclass(frozen=True, slots=True)
class Persister:
    """Writes entries; whatever cannot be a row becomes a dead letter."""

    store: VerdictStore
    dead_letters: DeadLetters
    now_ms: Callable[[], int]

    def persist(self, entries: Sequence[Entry]) -> None:
        """Return when every entry is durable, as rows or as a dead letter.

        Raises:
            StoreUnavailable: not now; the same entries may be given again.
        """
        bad = {e.origin: e.content for e in entries if isinstance(e.content, Refused)}
        good = [e for e in entries if e.origin not in bad]
        while good:
            try:
                self.store.write(
                    [e.content for e in good if isinstance(e.content, Verdict)],
                    [e.content for e in good if isinstance(e.content, Transaction)],
                )
                break
            except RowRefused as why:
                culprits = [e for e in good if _transaction_id(e) == why.transaction_id]
                refused = Refused(Code.ROW_REFUSED, [Problem("row", why.reason)])
                bad |= {e.origin: refused for e in culprits}
                good = [e for e in good if e not in culprits]
        self._put_aside([(e, bad[e.origin]) for e in entries if e.origin in bad])
        self._measure(good)

    def _put_aside(self, refused: Iterable[tuple[Entry, Refused]]) -> None:
        letters = [
            DeadLetter(
                code=why.code,
                stage=Stage.PERSISTER,
                origin=entry.origin,
                reason=why.reason,
                payload=entry.message.value() or b"",
                at_ms=self.now_ms(),
            )
            for entry, why in refused
        ]
        if letters:
            self.dead_letters.put(letters)
        for letter in letters:
            _dead_letters.labels(stage=letter.stage, code=letter.code).inc()
            log.warning("put aside %s: %s", letter.origin, letter.reason)

    def _measure(self, written: Sequence[Entry]) -> None:
        now_ms = self.now_ms()
        for entry in written:
            _rows.labels(topic=entry.message.topic()).inc()
            if (produced_ms := _produced_at_ms(entry)) is not None:
                _event_to_row.observe(max(0, now_ms - produced_ms) / 1000)


def _transaction_id(entry: Entry) -> str | None:
    return getattr(entry.content, "transaction_id", None)


def _produced_at_ms(entry: Entry) -> int | None:
    if not isinstance(entry.content, Verdict):
        return None
    headers = dict(entry.message.headers() or [])
    text = headers.get(PRODUCED_AT_HEADER)
    return int(text) if isinstance(text, bytes) and text.isdigit() else None


class Loop:
    """Read, write, commit, until told to stop."""

    def __init__(self, consumer: Consumer, persister: Persister, most: int) -> None:
        self._consumer, self._persister, self._most = consumer, persister, most
        self.stopping = threading.Event()

    def run(self) -> None:
        """Subscribe and work; ends after the batch in hand when told to stop."""
        self._consumer.subscribe([TRANSACTION_TOPIC, FRAUD_TOPIC], on_assign=_start_where_left)
        while not self.stopping.is_set():
            messages = self._consumer.consume(self._most, timeout=_POLL_SECONDS)
            for message in messages:
                raise_for_error(message)
            if messages and self._persist_when_possible([read(m) for m in messages]):
                self._commit(messages)

    def _persist_when_possible(self, entries: Sequence[Entry]) -> bool:
        """Write, resting while the store is away; False when stopped before it came back."""
        wait_seconds = _FIRST_RETRY_SECONDS
        while not self.stopping.is_set():
            try:
                self._persister.persist(entries)
            except StoreUnavailable as error:
                log.warning("%s; again in %.1f s", error, wait_seconds)
                self._rest(wait_seconds)
                wait_seconds = min(2 * wait_seconds, _LONGEST_RETRY_SECONDS)
            else:
                return True
        return False

    def _rest(self, seconds: float) -> None:
        """Stay a member of the group, by polling, without taking anything more."""
        _paused.set(1)
        assigned = self._consumer.assignment()
        self._consumer.pause(assigned)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if (message := self._consumer.poll(_POLL_SECONDS)) is not None:
                raise_for_error(message)
                raise RuntimeError("a paused partition delivered a message; the offset stays")
        self._consumer.resume(assigned)
        _paused.set(0)

    def _commit(self, messages: Sequence[Message]) -> None:
        ends: dict[tuple[str, int], int] = {}
        for m in messages:
            ends[m.topic() or "", m.partition() or 0] = (m.offset() or 0) + 1
        mine = {(p.topic, p.partition) for p in self._consumer.assignment()}
        done = [TopicPartition(*place, end) for place, end in ends.items() if place in mine]
        if done:
            self._consumer.commit(offsets=done, asynchronous=False)


def _start_where_left(consumer: Consumer, partitions: list[TopicPartition]) -> None:
    """Go on at the committed offset; a group that never read begins at the very first message."""
    for partition in consumer.committed(partitions, timeout=_WATERMARK_SECONDS):
        if partition.offset == OFFSET_INVALID:
            low, _ = consumer.get_watermark_offsets(partition, timeout=_WATERMARK_SECONDS)
            partition.offset = low
        consumer.incremental_assign([partition])
        log.info("reading %s-%d from %d", partition.topic, partition.partition, partition.offset)


def _connected(settings: CassandraSettings) -> CassandraVerdictStore:
    """The store, waited for: the persister may be up before Cassandra is back."""
    wait_seconds = _FIRST_RETRY_SECONDS
    while True:
        try:
            return CassandraVerdictStore(connect(settings))
        except StoreUnavailable as error:
            log.warning("%s; again in %.1f s", error, wait_seconds)
            time.sleep(wait_seconds)
            wait_seconds = min(2 * wait_seconds, _LONGEST_RETRY_SECONDS)


def main() -> None:
    """Wire the persister and run it until stopped."""
    configure_logging("persister")
    settings, kafka = PersisterSettings(), KafkaSettings()
    persister = Persister(
        _connected(CassandraSettings()),
        KafkaDeadLetters(kafka, settings.dead_letter_key_path),
        now_ms=lambda: time.time_ns() // 1_000_000,
    )
    # A static member that is killed and comes back takes its partitions at once; without it the
    # group would wait for the dead one's session to end.
    consumer = group_consumer(kafka, GROUP, **{"group.instance.id": settings.instance})
    loop = Loop(consumer, persister, settings.max_poll_records)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: loop.stopping.set())
    start_http_server(settings.metrics_port, addr="127.0.0.1")
    try:
        loop.run()
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
