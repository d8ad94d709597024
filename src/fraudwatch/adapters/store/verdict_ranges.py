"""Every stored verdict, read once: token range by token range, a few at a time.

The table is keyed by transaction alone, so whoever wants more than one verdict walks all of it. A
range holds about a thousandth.
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
from fraudwatch.adapters.store.session import KEYSPACE, driver_errors_translated
from fraudwatch.application.ports import StoreUnavailable

RANGES = 1024
AT_ONCE = 4
PAGE_ROWS = 2_000
REQUEST_SECONDS = 30.0
ATTEMPTS = 3
PAUSE_SECONDS = 2.0
# What Murmur3Partitioner hashes keys to. It never gives the lowest itself.
_LOWEST, _TOKENS = -(2**63), 2**64

Taken = TypeVar("Taken")
Row = tuple[str, str]
"""A transaction's name, and its verdict as it was published."""


class VerdictRanges:
    """Reads with the rights of a role that may only read."""

    def __init__(self, session: Session) -> None:
        """Prepare the statement.

        Raises:
            StoreUnavailable: nobody answers, or the table is not there yet.
        """
        self._session = session
        with driver_errors_translated():
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

    def walk(self, take: Callable[[list[Row]], Taken]) -> Iterator[Taken]:
        """What `take` makes of each range's rows; it is called by several threads.

        Only what it answers is held: a range may be megabytes of text.

        Raises:
            StoreUnavailable: not all of them can be read.
        """
        is_away = threading.Event()

        def taken(ends: tuple[int, int]) -> Taken:
            if is_away.is_set():
                raise StoreUnavailable("not asked: another range was not answered")
            try:
                rows = self._range(ends)
            except StoreUnavailable:
                is_away.set()
                raise
            return take(rows)

        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="verdict-ranges")
        try:
            # In their order: so the first trouble met is Cassandra's own, never "not asked".
            yield from pool.map(taken, token_ranges(RANGES))
        finally:
            is_away.set()
            pool.shutdown(cancel_futures=True)

    def _range(self, ends: tuple[int, int]) -> list[Row]:
        """One range's rows; begun again when Cassandra goes away meanwhile."""
        for _ in range(ATTEMPTS - 1):
            try:
                return self._read(ends)
            except StoreUnavailable:
                time.sleep(PAUSE_SECONDS)
        return self._read(ends)

    def _read(self, ends: tuple[int, int]) -> list[Row]:
        with driver_errors_translated():
            found = self._session.execute(self._rows, ends, execution_profile=self._profile)
            return [
                (name, text)
                for name, text in found
                if text is not None  # a row whose verdict was deleted
            ]


def token_ranges(count: int) -> Iterator[tuple[int, int]]:
    """The whole ring in so many parts: each from after the first token up to the second."""
    ends = [_LOWEST + _TOKENS * i // count for i in range(count)]
    return pairwise([*ends, _LOWEST + _TOKENS - 1])
