"""Write entries as rows to the store, and dead-letter those that cannot be written."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fraudwatch.application.ports import DeadLetters, RowsRefused, VerdictStore
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.domain.messages.dead_letter import Code, DeadLetter, Refused, Stage
from fraudwatch.domain.messages.fields import Problem
from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.refund import Refund
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.observability.metrics import batch_histogram, counter
from fraudwatch.observability.phases import Phases
from fraudwatch.topics import PRODUCED_AT_HEADER
from streaming.persister.entries import Entry

log = logging.getLogger("persister")
M = TypeVar("M")

_rows = counter("fraudwatch_persister_rows")
_dead_letters = counter("fraudwatch_dead_letters", stage=Stage.PERSISTER)
_event_to_row = batch_histogram("fraudwatch_event_to_row_seconds")
_verdict_to_row = batch_histogram("fraudwatch_verdict_to_row_seconds")
timed = Phases(counter("fraudwatch_persister_seconds")).timed


@dataclass(frozen=True, slots=True)
class Persister:
    """Writes entries; no message is ever dropped."""

    store: VerdictStore
    dead_letters: DeadLetters
    now_ms: Callable[[], int]

    def persist(self, entries: Sequence[Entry]) -> None:
        """Write the entries; returns when each is durable, as rows or as a dead letter.

        Raises:
            StoreUnavailable: retry later with the same entries.
        """
        refused = {e.origin: e.content for e in entries if isinstance(e.content, Refused)}
        valid = [entry for entry in entries if entry.origin not in refused] if refused else entries
        with timed("writing"):
            refused |= self._write(valid)
        if refused:
            with timed("dead_letters"):
                self._dead_letter([(e, refused[e.origin]) for e in entries if e.origin in refused])
        self._measure([e for e in valid if e.origin not in refused] if refused else valid)

    def _write(self, entries: Sequence[Entry]) -> dict[str, Refused]:
        """Write; returns the entries that the store will never accept with reasons, by origin."""
        try:
            self.store.write(
                _of_type(Verdict, entries),
                _of_type(Transaction, entries),
                _of_type(Label, entries),
                _of_type(AuditRecord, entries),
                _of_type(Refund, entries),
            )
        except RowsRefused as refusal:
            reasons: dict[Any, str] = dict(refusal.reasons)
            return {
                e.origin: Refused(Code.ROW_REFUSED, [Problem("row", reasons[e.content])])
                for e in entries
                if e.content in reasons
            }
        return {}

    def _dead_letter(self, refused: Iterable[tuple[Entry, Refused]]) -> None:
        records = [
            DeadLetter(
                code=refusal.code,
                stage=Stage.PERSISTER,
                origin=entry.origin,
                reason=refusal.reason,
                payload=entry.message.value() or b"",
                at_ms=self.now_ms(),
            )
            for entry, refusal in refused
        ]
        self.dead_letters.put(records)
        for code, count in Counter(record.code for record in records).items():
            _dead_letters.labels(stage=Stage.PERSISTER, code=code).inc(count)
        for record in records:
            log.warning("dead-lettered %s: %s", record.origin, record.reason)

    def _measure(self, written: Sequence[Entry]) -> None:
        for topic, count in Counter(entry.topic for entry in written).items():
            _rows.labels(topic=topic).inc(count)
        now_ms = self.now_ms()
        verdicts = [entry for entry in written if isinstance(entry.content, Verdict)]
        left_edge_at_ms = filter(None, map(_left_edge_at_ms, verdicts))
        _event_to_row.observe_all([max(0, now_ms - at_ms) / 1000 for at_ms in left_edge_at_ms])
        _verdict_to_row.observe_all(
            [max(0, now_ms - entry.produced_at_ms) / 1000 for entry in verdicts]
        )


def _of_type(kind: type[M], entries: Iterable[Entry]) -> list[M]:
    return [entry.content for entry in entries if isinstance(entry.content, kind)]


def _left_edge_at_ms(entry: Entry) -> int | None:
    """Return when ingest produced the transaction of this verdict."""
    text = dict(entry.message.headers() or []).get(PRODUCED_AT_HEADER)
    return int(text) if isinstance(text, bytes) and text.isdigit() else None
