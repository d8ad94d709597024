"""Scan all stored verdicts by token range, a few ranges at a time.

The table is keyed by transaction alone, so reading more than one verdict means scanning all of it.
A range has about a thousandth of the rows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

from cassandra.cluster import EXEC_PROFILE_DEFAULT, Session
from cassandra.query import tuple_factory

from fraudwatch.adapters.store.rows import VERDICTS
from fraudwatch.adapters.store.session import KEYSPACE, translate_driver_errors
from fraudwatch.application.ports import StoreUnavailable

RANGES = 1024
AT_ONCE = 4
PAGE_ROWS = 2_000
REQUEST_SECONDS = 30.0
ATTEMPTS = 3
PAUSE_SECONDS = 2.0
# Token range of Murmur3Partitioner, which never returns the lowest itself.
_LOWEST, _TOKENS = -(2**63), 2**64

Result = TypeVar("Result")
Row = tuple[str, str]
"""Transaction id, and its verdict as published."""


class VerdictRanges:
    """Scan of the verdict table with a read-only role."""

    def __init__(self, session: Session) -> None:
        """Prepare the statement.

        Raises:
            StoreUnavailable: Cassandra does not answer, or the table does not exist yet.
        """
        self._session = session
        with translate_driver_errors():
            self._rows = session.prepare(
                f"SELECT transaction_id, verdict FROM {KEYSPACE}.{VERDICTS.name} "  # noqa: S608  names are ours
                "WHERE token(transaction_id) > ? AND token(transaction_id) <= ?"
            )
        self._rows.is_idempotent = True
        self._rows.fetch_size = PAGE_ROWS
        self._profile = session.execution_profile_clone_update(
            EXEC_PROFILE_DEFAULT,  # type: ignore[has-type]  # the driver is untyped
            row_factory=tuple_factory,
            request_timeout=REQUEST_SECONDS,
        )

    def walk(self, process: Callable[[list[Row]], Result]) -> Iterator[Result]:
        """Yield the result of ``process`` for each range; it is called by several threads.

        Only the results are kept in memory: a range may be megabytes of text.

        Raises:
            StoreUnavailable: not all of them can be read.
        """
        has_failed = threading.Event()

        def processed(ends: tuple[int, int]) -> Result:
            if has_failed.is_set():
                raise StoreUnavailable("not read: another range failed")
            try:
                rows = self._range(ends)
            except StoreUnavailable:
                has_failed.set()
                raise
            return process(rows)

        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="verdict-ranges")
        try:
            # In order, so that the first error raised is Cassandra's own, never "not read".
            yield from pool.map(processed, token_ranges(RANGES))
        finally:
            has_failed.set()
            pool.shutdown(cancel_futures=True)

    def _range(self, ends: tuple[int, int]) -> list[Row]:
        """Read one range, with retries when Cassandra becomes unavailable."""
        for _ in range(ATTEMPTS - 1):
            try:
                return self._read(ends)
            except StoreUnavailable:
                time.sleep(PAUSE_SECONDS)
        return self._read(ends)

    def _read(self, ends: tuple[int, int]) -> list[Row]:
        with translate_driver_errors():
            found = self._session.execute(self._rows, ends, execution_profile=self._profile)
            return [
                (name, text)
                for name, text in found
                if text is not None  # a row whose verdict was deleted
            ]


def token_ranges(count: int) -> Iterator[tuple[int, int]]:
    """Split the ring into parts: each from after the first token up to the second."""
    ends = [_LOWEST + _TOKENS * i // count for i in range(count)]
    return pairwise([*ends, _LOWEST + _TOKENS - 1])
