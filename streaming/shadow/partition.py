"""Compare one partition: read the three topics, join, score by the candidate, count."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.kafka_log.consumer_group import Message
from fraudwatch.application.shadow.comparing import Comparing, ShadowRow
from fraudwatch.application.shadow.joining import Join, Joined, PublishedVector, PublishedVerdict
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.verdict import Outcome, Verdict
from fraudwatch.domain.shadow import NOTHING_COMPARED, Compared, NotCompared
from fraudwatch.observability.metrics import counter
from fraudwatch.topics import FEATURES_VERSION_HEADER, TRANSACTION_ID_HEADER
from streaming.shadow.scoring import CandidateVerdict, ShadowScoring

log = logging.getLogger("shadow")
_POLL_SECONDS = 0.1

_compared = counter("fraudwatch_shadow_compared")
_different = counter("fraudwatch_shadow_different")
_not_compared = counter("fraudwatch_shadow_not_compared")
_alerts = counter("fraudwatch_shadow_alerts")
_unlike = counter("fraudwatch_shadow_unlike")
_copies = counter("fraudwatch_shadow_copies")
_unreadable = counter("fraudwatch_shadow_unreadable")


class Cursor(Protocol):
    """Position in one partition of a topic."""

    def seek(self, offset: int) -> None:
        """Continue at an offset."""

    def offset_at(self, at_ms: int) -> int:
        """Return the first offset that was produced at this time or later."""

    def read(self, max_messages: int, timeout_seconds: float) -> list[Message]:
        """Read up to ``max_messages``, or fewer after the timeout."""

    def close(self) -> None:
        """Close the connections."""


@dataclass(frozen=True, slots=True)
class PartitionTopics:
    """Cursors on the partition of the same number of three topics."""

    verdicts: Cursor
    vectors: Cursor
    transactions: Cursor

    def close(self) -> None:
        """Close all three."""
        for cursor in (self.verdicts, self.vectors, self.transactions):
            cursor.close()


class PartitionShadow:
    """Compares the purchases of one partition, in the order of their verdicts."""

    def __init__(
        self,
        topics: PartitionTopics,
        scoring: ShadowScoring,
        comparing: Comparing,
        *,
        from_at_ms: int,
        max_messages: int,
        give_up_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Continue where the counts end, or begin at the first verdict of ``from_at_ms``."""
        self._topics, self._scoring, self._comparing = topics, scoring, comparing
        self._max_messages, self._give_up_seconds = max_messages, give_up_seconds
        self._clock = clock
        position = comparing.counted.position
        self._join = Join(position.source_offset)
        self._unsaved: list[ShadowRow] = []
        self._oldest_unsaved_ms: int | None = None
        self._waiting: tuple[int, float] = (NOTHING_COMPARED, 0.0)
        for cursor, offset in (
            (topics.verdicts, position.verdict_offset),
            (topics.vectors, position.vector_offset),
        ):
            is_known = offset != NOTHING_COMPARED
            cursor.seek(offset if is_known else cursor.offset_at(from_at_ms))

    @property
    def oldest_ms(self) -> int | None:
        """When the oldest verdict that is not counted yet was published; None if none waits."""
        if self._unsaved:
            return self._oldest_unsaved_ms
        oldest = self._join.oldest
        return None if oldest is None else oldest.published_at_ms

    def step(self) -> int:
        """Read once from each topic, and count what is then complete; return how many were new.

        Raises:
            StoreUnavailable: it is not wholly counted; call again.
        """
        if self._unsaved:
            return self._count()
        self._read()
        joined = self._join.take() or self._given_up()
        if not joined:
            return 0
        self._oldest_unsaved_ms = joined[0].published.published_at_ms
        self._unsaved = self._score(joined)
        return self._count()

    def close(self) -> None:
        """Close the connections."""
        self._topics.close()

    def _read(self) -> None:
        join, topics = self._join, self._topics
        if join.wants_verdicts:
            for message in topics.verdicts.read(self._max_messages, _POLL_SECONDS):
                published = _verdict_in(message)
                if published is not None and not join.add_verdict(published):
                    _copies.inc()
        if (wanted := join.wanted_transactions) is not None:
            topics.transactions.seek(wanted[0])
            for message in topics.transactions.read(self._max_messages, _POLL_SECONDS):
                join.add_transaction(message.offset() or 0, message.value() or b"")
        if join.wants_vectors:
            for message in topics.vectors.read(self._max_messages, _POLL_SECONDS):
                join.add_vector(_vector_in(message))

    def _given_up(self) -> list[Joined]:
        """Give up the verdict that waits for too long."""
        oldest = self._join.oldest
        if oldest is None:
            return []
        if self._waiting[0] != oldest.offset:
            self._waiting = oldest.offset, self._clock()
        if self._clock() - self._waiting[1] < self._give_up_seconds:
            return []
        return self._join.give_up()

    def _score(self, joined: Sequence[Joined]) -> list[ShadowRow]:
        rows = []
        for one, result in zip(joined, self._scoring.score(joined), strict=True):
            live = one.published.verdict
            candidate = result.verdict if isinstance(result, CandidateVerdict) else result
            if isinstance(result, CandidateVerdict) and _is_unlike(one, result):
                _unlike.inc()
                log.error("%s: same versions, other bytes than the live verdict", live.verdict_id)
            vector_offset = one.vector.offset if one.vector else None
            rows.append(ShadowRow(Compared(live, candidate), one.published.offset, vector_offset))
        return rows

    def _count(self) -> int:
        new = self._comparing.count(self._unsaved)
        _record([row.compared for row in self._unsaved])
        self._unsaved = []
        return new


def _is_unlike(joined: Joined, candidate: CandidateVerdict) -> bool:
    """Whether the bytes differ although both verdicts name the same versions."""
    return candidate.message != joined.published.message and _versions(
        candidate.verdict
    ) == _versions(joined.published.verdict)


def _versions(verdict: Verdict) -> tuple[object, ...]:
    models = tuple((one.model, one.version) for one in verdict.model_scores)
    return verdict.policy_version, models, verdict.calibration


def _record(compared: Sequence[Compared]) -> None:
    reasons: Counter[str] = Counter()
    for live, candidate in compared:
        if isinstance(candidate, NotCompared):
            reasons[str(candidate)] += 1
            continue
        _compared.inc()
        _different.inc(candidate.outcome is not live.outcome)
        _alerts.labels("live").inc(live.outcome is not Outcome.APPROVE)
        _alerts.labels("candidate").inc(candidate.outcome is not Outcome.APPROVE)
    for reason, purchases in reasons.items():
        _not_compared.labels(reason).inc(purchases)


def _verdict_in(message: Message) -> PublishedVerdict | None:
    """Decode the verdict; None if it is invalid, which the persister dead-letters."""
    value = message.value() or b""
    try:
        verdict = decode(Verdict, value)
    except Refused as refusal:
        _unreadable.inc()
        log.warning("not compared, offset %s: %s", message.offset(), refusal.reason)
        return None
    return PublishedVerdict(message.offset() or 0, verdict, value, message.timestamp()[1])


def _vector_in(message: Message) -> PublishedVector:
    headers = dict(message.headers() or [])
    return PublishedVector(
        offset=message.offset() or 0,
        transaction_id=_text(headers.get(TRANSACTION_ID_HEADER)),
        features_version=_text(headers.get(FEATURES_VERSION_HEADER)),
        vector=message.value() or b"",
    )


def _text(header: bytes | str | None) -> str:
    return header.decode(errors="replace") if isinstance(header, bytes) else header or ""
