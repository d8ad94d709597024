"""All verdicts of one source out of Cassandra: token range by token range, a few at a time.

The table is keyed by transaction alone, so its whole content has to be walked. A range holds about
a thousandth of it, and of a row only what a report needs leaves the range.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from cassandra.cluster import EXEC_PROFILE_DEFAULT, Session
from cassandra.query import tuple_factory

from fraudwatch.adapters.cassandra_rows import VERDICTS
from fraudwatch.adapters.cassandra_session import KEYSPACE, driver_errors_translated
from fraudwatch.adapters.json_codec import decode
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.application.report.columns import VerdictColumns
from fraudwatch.application.report.ports import Verdicts

RANGES = 1024
AT_ONCE = 4
PAGE_ROWS = 2_000
REQUEST_SECONDS = 30.0
ATTEMPTS = 3
PAUSE_SECONDS = 2.0
# What Murmur3Partitioner hashes keys to. It never gives the lowest itself.
_LOWEST, _TOKENS = -(2**63), 2**64
_COLUMNS = "transaction_id, verdict"

Progress = Callable[[int, int, int], None]
"""Told after each range: ranges done, ranges in all, verdicts found."""
Row = tuple[Any, ...]


class CassandraVerdictScan:
    """Reads with the rights of a role that may only read."""

    def __init__(self, session: Session, on_range: Progress) -> None:
        """Prepare the statement.

        Raises:
            StoreUnavailable: nobody answers, or the table is not there yet.
        """
        self._session = session
        self._on_range = on_range
        with driver_errors_translated():
            self._rows = session.prepare(
                f"SELECT {_COLUMNS} FROM {KEYSPACE}.{VERDICTS.name} "  # noqa: S608  names are ours
                "WHERE token(transaction_id) > ? AND token(transaction_id) <= ?"
            )
        self._rows.is_idempotent = True
        self._rows.fetch_size = PAGE_ROWS
        self._profile = session.execution_profile_clone_update(
            EXEC_PROFILE_DEFAULT,  # type: ignore[has-type]  # the driver is untyped
            row_factory=tuple_factory,
            request_timeout=REQUEST_SECONDS,
        )

    def of(self, source: str) -> Verdicts:
        """See :class:`fraudwatch.application.report.ports.VerdictSource`."""
        columns, lock, ends = VerdictColumns(), threading.Lock(), token_ranges(RANGES)
        is_away = threading.Event()

        def walk(after: int, upto: int) -> None:
            if is_away.is_set():
                return
            try:
                rows = self._range(after, upto, f"{source}:")
            except StoreUnavailable:
                is_away.set()
                raise
            with lock:
                for row in rows:
                    add(columns, row)

        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="verdict-scan")
        try:
            walks = [pool.submit(walk, *one) for one in ends]
            for done, one in enumerate(as_completed(walks), start=1):
                one.result()
                self._on_range(done, len(walks), len(columns))
        finally:
            pool.shutdown(cancel_futures=True)
        return columns.finished()

    def _range(self, after: int, upto: int, prefix: str) -> list[Row]:
        """The source's rows of one range; begun again when Cassandra goes away meanwhile."""
        for _ in range(ATTEMPTS - 1):
            try:
                return self._read(after, upto, prefix)
            except StoreUnavailable:
                time.sleep(PAUSE_SECONDS)
        return self._read(after, upto, prefix)

    def _read(self, after: int, upto: int, prefix: str) -> list[Row]:
        with driver_errors_translated():
            found = self._session.execute(
                self._rows, (after, upto), execution_profile=self._profile
            )
            return [row for row in found if row[0].startswith(prefix)]


def token_ranges(count: int) -> Iterator[tuple[int, int]]:
    """The whole ring in so many parts: each from after the first token up to the second."""
    ends = [_LOWEST + _TOKENS * i // count for i in range(count)]
    return pairwise([*ends, _LOWEST + _TOKENS - 1])


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


def add(columns: VerdictColumns, row: Row) -> None:
    """Take one row."""
    transaction_id, text = row
    verdict = decode(_Judged, text.encode())
    rules = [reason.rule for reason in verdict.reasons]
    by = f"{verdict.mode}, policy {verdict.policy_version}"
    columns.add((transaction_id, verdict.verdict_id), (verdict.outcome, verdict.score), rules, by)
