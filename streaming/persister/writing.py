"""Entries become rows; whatever cannot be a row becomes a dead letter."""

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
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.observability.metrics import counter, histogram
from fraudwatch.observability.phases import Phases
from fraudwatch.topics import PRODUCED_AT_HEADER
from streaming.persister.entries import Entry

log = logging.getLogger("persister")
M = TypeVar("M")

_rows = counter("fraudwatch_persister_rows")
_dead_letters = counter("fraudwatch_dead_letters")
_event_to_row = histogram("fraudwatch_event_to_row_seconds")
spent = Phases(counter("fraudwatch_persister_seconds")).spent


@dataclass(frozen=True, slots=True)
class Persister:
    """Writes entries; nothing that was read is ever dropped."""

    store: VerdictStore
    dead_letters: DeadLetters
    now_ms: Callable[[], int]

    def persist(self, entries: Sequence[Entry]) -> None:
        """Return when every entry is durable, as rows or as a dead letter.

        Raises:
            StoreUnavailable: not now; the same entries may be given again.
        """
        bad = {e.origin: e.content for e in entries if isinstance(e.content, Refused)}
        good = [entry for entry in entries if entry.origin not in bad] if bad else entries
        with spent("writing"):
            bad |= self._write(good)
        if bad:
            with spent("dead_letters"):
                self._put_aside([(e, bad[e.origin]) for e in entries if e.origin in bad])
        self._measure([e for e in good if e.origin not in bad] if bad else good)

    def _write(self, entries: Sequence[Entry]) -> dict[str, Refused]:
        """Write; what the store will never take comes back with the reason, by origin."""
        try:
            self.store.write(
                _those(Verdict, entries),
                _those(Transaction, entries),
                _those(Label, entries),
                _those(AuditRecord, entries),
            )
        except RowsRefused as why:
            reasons: dict[Any, str] = dict(why.reasons)
            return {
                e.origin: Refused(Code.ROW_REFUSED, [Problem("row", reasons[e.content])])
                for e in entries
                if e.content in reasons
            }
        return {}

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
        self.dead_letters.put(letters)
        for letter in letters:
            _dead_letters.labels(stage=letter.stage, code=letter.code).inc()
            log.warning("put aside %s: %s", letter.origin, letter.reason)

    def _measure(self, written: Sequence[Entry]) -> None:
        for topic, count in Counter(entry.topic for entry in written).items():
            _rows.labels(topic=topic).inc(count)
        now_ms = self.now_ms()
        for entry in written:
            if isinstance(entry.content, Verdict) and (edge_ms := _left_edge_at_ms(entry)):
                _event_to_row.observe(max(0, now_ms - edge_ms) / 1000)


def _those(kind: type[M], entries: Iterable[Entry]) -> list[M]:
    return [entry.content for entry in entries if isinstance(entry.content, kind)]


def _left_edge_at_ms(entry: Entry) -> int | None:
    """When the edge produced the transaction that this verdict judges."""
    text = dict(entry.message.headers() or []).get(PRODUCED_AT_HEADER)
    return int(text) if isinstance(text, bytes) and text.isdigit() else None
