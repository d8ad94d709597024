"""All verdicts of one source out of Cassandra; of a row only what a report needs is kept."""

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
"""Told after each range: ranges done, ranges in all, verdicts found."""


class CassandraVerdictScan:
    """Reads with the rights of a role that may only read."""

    def __init__(self, session: Session, on_range: Progress) -> None:
        """Prepare to read.

        Raises:
            StoreUnavailable: nobody answers, or the table is not there yet.
        """
        self._ranges = VerdictRanges(session)
        self._on_range = on_range

    def of(self, source: str) -> Verdicts:
        """See :class:`fraudwatch.application.evaluation.ports.VerdictSource`."""
        columns, lock, prefix = VerdictColumns(), threading.Lock(), f"{source}:"

        def take(rows: list[Row]) -> None:
            with lock:
                for name, text in rows:
                    if name.startswith(prefix):
                        add(columns, name, text)

        for done, _ in enumerate(self._ranges.walk(take), start=1):
            self._on_range(done, cassandra_verdict_ranges.RANGES, len(columns))
        return columns.finished()


@dataclass(frozen=True, slots=True)
class _Rule:
    """As much of a reason as a report counts."""

    rule: str


@dataclass(frozen=True, slots=True)
class _Judged:
    """As much of a verdict."""

    verdict_id: str
    outcome: str
    score: float
    reasons: tuple[_Rule, ...]
    mode: str
    policy_version: str


def add(columns: VerdictColumns, transaction_id: str, text: str) -> None:
    """Take one row."""
    verdict = decode(_Judged, text.encode())
    rules = [reason.rule for reason in verdict.reasons]
    by = f"{verdict.mode}, policy {verdict.policy_version}"
    columns.add((transaction_id, verdict.verdict_id), (verdict.outcome, verdict.score), rules, by)
