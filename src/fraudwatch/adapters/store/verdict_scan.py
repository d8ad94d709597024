"""Read all verdicts of one source from Cassandra, keeping only the columns of an evaluation."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from cassandra.cluster import Session

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.store import verdict_ranges as cassandra_verdict_ranges
from fraudwatch.adapters.store.verdict_ranges import Row, VerdictRanges
from fraudwatch.application.evaluation.columns import VerdictColumns
from fraudwatch.application.evaluation.ports import Verdicts

Progress = Callable[[int, int, int], None]
"""Callback after each range: ranges done, ranges in all, verdicts found."""


class CassandraVerdictScan:
    """``VerdictSource`` read with a read-only role."""

    def __init__(self, session: Session, on_range: Progress) -> None:
        """Prepare to read.

        Raises:
            StoreUnavailable: Cassandra does not answer, or the table does not exist yet.
        """
        self._ranges = VerdictRanges(session)
        self._on_range = on_range

    def of(self, source: str) -> Verdicts:
        columns, lock, prefix = VerdictColumns(), threading.Lock(), f"{source}:"

        def collect(rows: list[Row]) -> None:
            with lock:
                for name, text in rows:
                    if name.startswith(prefix):
                        add(columns, name, text)

        for done, _ in enumerate(self._ranges.walk(collect), start=1):
            self._on_range(done, cassandra_verdict_ranges.RANGES, len(columns))
        return columns.finished()


@dataclass(frozen=True, slots=True)
class _Rule:
    """Fields of a reason that an evaluation counts."""

    rule: str


@dataclass(frozen=True, slots=True)
class _VerdictFields:
    """Fields of a verdict that an evaluation uses."""

    verdict_id: str
    outcome: str
    score: float
    reasons: tuple[_Rule, ...]
    mode: str
    policy_version: str


def add(columns: VerdictColumns, transaction_id: str, text: str) -> None:
    """Decode and add one row."""
    verdict = decode(_VerdictFields, text.encode())
    rules = [reason.rule for reason in verdict.reasons]
    by = f"{verdict.mode}, policy {verdict.policy_version}"
    columns.add((transaction_id, verdict.verdict_id), (verdict.outcome, verdict.score), rules, by)
