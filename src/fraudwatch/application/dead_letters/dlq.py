"""Dead letter queue (DLQ): list its records, open them, and replay them where they failed.

A replay is idempotent: purchases, transactions and verdicts keep their ids, and a label with
``known_at_ms`` is the same label again. Nothing is removed from the topic except by retention.
"""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from fraudwatch.application.intake.intake import (
    CHARGEBACK_FEED,
    MAPPED_FEED_PREFIX,
    PURCHASE_FEED,
)
from fraudwatch.domain.messages.dead_letter import KEPT_PAYLOAD_BYTES, Code, Stage
from fraudwatch.topics import AUDIT_TOPIC, FRAUD_TOPIC, LABELS_TOPIC, TRANSACTION_TOPIC

INGEST_TARGET, INGEST_LABELS_TARGET = "ingest", "ingest's labels"
_INGEST_TARGETS = {PURCHASE_FEED: INGEST_TARGET, CHARGEBACK_FEED: INGEST_LABELS_TARGET}
_HEADER_PREFIX = "fraudwatch."
# Topics that each stage reads, so that a forged origin leads to no other topic.
_TOPICS: dict[str, frozenset[str]] = {
    Stage.DETECTOR: frozenset({TRANSACTION_TOPIC}),
    Stage.PERSISTER: frozenset({TRANSACTION_TOPIC, FRAUD_TOPIC, LABELS_TOPIC, AUDIT_TOPIC}),
}
_TOPIC_ORIGIN = re.compile(r"(?P<topic>.+)-\d+-\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class DlqRecord:
    """Headers and position of one dead letter; its payload stays sealed on the topic.

    Code and stage are texts: a record of another version is shown as it is.
    """

    stage: str
    origin: str
    code: str
    reason: str
    at_ms: int
    payload_bytes: int
    payload_sha256: str
    partition: int
    offset: int

    @classmethod
    def from_headers(
        cls, headers: Mapping[str, str], partition: int, offset: int
    ) -> DlqRecord | None:
        """Parse a message's headers; None when they describe no dead letter."""
        texts = {name.removeprefix(_HEADER_PREFIX): text for name, text in headers.items()}
        try:
            return cls(
                **{name: texts[name] for name in ("stage", "origin", "code", "reason")},
                at_ms=int(texts["at_ms"]),
                payload_bytes=int(texts["payload_bytes"]),
                payload_sha256=texts["payload_sha256"],
                partition=partition,
                offset=offset,
            )
        except (KeyError, ValueError):
            return None

    @property
    def id(self) -> str:
        """Stage and origin: two consumers may dead-letter one message, each for its own stage."""
        return f"{self.stage}:{self.origin}"

    @property
    def is_cut(self) -> bool:
        """Return whether the payload was truncated."""
        return self.payload_bytes > KEPT_PAYLOAD_BYTES

    @property
    def target(self) -> str:
        """Replay target: ingest, a feed's mapping, or the topic it was read from; '' if unknown."""
        if self.stage == Stage.INGEST:
            reader = self.origin.partition(":")[0]
            is_mapped = reader.startswith(MAPPED_FEED_PREFIX)
            return reader if is_mapped else _INGEST_TARGETS.get(reader, "")
        found = _TOPIC_ORIGIN.fullmatch(self.origin)
        topic = found["topic"] if found else ""
        return topic if topic in _TOPICS.get(self.stage, frozenset()) else ""


class DlqUnavailable(Exception):
    """The dead letter queue cannot be read now; the message gives the cause and the fix."""


class NotReplayable(Exception):
    """This record cannot be replayed; the message says why."""


class TargetUnavailable(Exception):
    """The replay target accepts nothing now; its records stay and may be replayed later."""


class DlqReader(Protocol):
    """Lists and opens the records of the dead letter queue."""

    def records(self) -> Iterable[DlqRecord]:
        """List every record, copies included, in topic order. Raises DlqUnavailable."""

    def open(self, record: DlqRecord) -> bytes:
        """Decrypt the stored payload. Raises NotReplayable or DlqUnavailable."""


class ReplayTarget(Protocol):
    """Target that a DLQ record is replayed to."""

    def check(self, payload: bytes) -> None:
        """Raise NotReplayable if the payload would be dead-lettered again; sends nothing."""

    def replay(self, payload: bytes) -> None:
        """Send it; returns when acknowledged. Raises NotReplayable or TargetUnavailable."""


class Replayed(Protocol):
    """Durable record of what was replayed."""

    def __contains__(self, record: DlqRecord) -> bool: ...

    def add(self, record: DlqRecord) -> None:
        """Add a record; it is durable when this returns."""


def newest_first(records: Iterable[DlqRecord]) -> list[DlqRecord]:
    """Sort records newest first, one for each id: of copies the last one written."""
    one_each = {record.id: record for record in records}
    return sorted(one_each.values(), key=lambda x: (x.at_ms, x.partition, x.offset), reverse=True)


class ReplayState(enum.StrEnum):
    """Result of replaying a record."""

    REPLAYED = "replayed"
    WOULD_REPLAY = "would_enter"
    NOT_REPLAYABLE = "stays"


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """Result of one record: its replay target, or why it was not replayed."""

    record: DlqRecord
    state: ReplayState
    detail: str


@dataclass(slots=True)
class DlqReplay:
    """Replays chosen records; with ``is_trial`` it checks everything and sends nothing."""

    dlq: DlqReader
    targets: Mapping[str, ReplayTarget]
    replayed: Replayed
    is_trial: bool = False
    _unavailable: dict[str, TargetUnavailable] = field(default_factory=dict)
    _replayed: set[tuple[str, str]] = field(default_factory=set)

    def run(self, records: Iterable[DlqRecord]) -> Iterator[ReplayResult]:
        """Replay oldest first, because a customer's purchases are folded in order of arrival."""
        for record in reversed(newest_first(records)):
            try:
                yield self._replay_one(record)
            except (NotReplayable, TargetUnavailable) as why:
                yield ReplayResult(record, ReplayState.NOT_REPLAYABLE, str(why))

    def _replay_one(self, record: DlqRecord) -> ReplayResult:
        target = self.targets.get(record.target)
        if target is None:
            raise NotReplayable("its stage and origin name no replay target")
        if record.code == Code.TOO_LATE:
            raise NotReplayable(
                "it is more than 30 days older than its customer's last event, and always will be"
            )
        payload = whole_payload(self.dlq, record)
        target.check(payload)
        if self.is_trial:
            return ReplayResult(record, ReplayState.WOULD_REPLAY, record.target)
        # A message that two consumers dead-lettered is sent once, and both read it.
        if (record.target, record.origin) not in self._replayed:
            self._send(record, target, payload)
        self.replayed.add(record)
        return ReplayResult(record, ReplayState.REPLAYED, record.target)

    def _send(self, record: DlqRecord, target: ReplayTarget, payload: bytes) -> None:
        if closed := self._unavailable.get(record.target):
            raise closed
        try:
            target.replay(payload)
        except TargetUnavailable as why:
            self._unavailable[record.target] = why
            raise
        if record.stage != Stage.INGEST:
            self._replayed.add((record.target, record.origin))


def whole_payload(dlq: DlqReader, record: DlqRecord) -> bytes:
    """Open the whole payload and verify its hash.

    Raises:
        NotReplayable: it was truncated, or does not match the headers.
    """
    if record.is_cut:
        raise NotReplayable(
            f"of its {record.payload_bytes} bytes only the first {KEPT_PAYLOAD_BYTES} were kept, "
            "so it cannot be replayed; send it again from its source"
        )
    payload = dlq.open(record)
    if hashlib.sha256(payload).hexdigest() != record.payload_sha256:
        raise NotReplayable("its payload does not match the hash in its headers")
    return payload
