"""The verdicts of a day out of Cassandra: the whole table, range by range, most of it passed over.

The table is keyed by transaction alone. Of a row that nobody asked for only its place is decoded.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from cassandra.cluster import EXEC_PROFILE_DEFAULT, Session
from cassandra.query import tuple_factory

from fraudwatch.adapters.cassandra_rows import VERDICTS
from fraudwatch.adapters.cassandra_session import KEYSPACE, driver_errors_translated
from fraudwatch.adapters.cassandra_verdict_scan import (
    AT_ONCE,
    ATTEMPTS,
    PAGE_ROWS,
    PAUSE_SECONDS,
    RANGES,
    REQUEST_SECONDS,
    token_ranges,
)
from fraudwatch.adapters.json_codec import decode
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.application.reconcile import Wanted
from fraudwatch.domain.verdict import Verdict


@dataclass(frozen=True, slots=True)
class _Placed:
    """As much of a verdict as says whether it is wanted."""

    source_partition: int
    source_offset: int


class CassandraChosenVerdicts:
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

    def chosen(self, wanted: Wanted) -> Iterator[Verdict]:
        """See :class:`fraudwatch.application.reconcile.StoredVerdicts`."""
        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="chosen-verdicts")
        try:
            for some in pool.map(lambda ends: self._range(ends, wanted), token_ranges(RANGES)):
                yield from some
        finally:
            pool.shutdown(cancel_futures=True)

    def _range(self, ends: tuple[int, int], wanted: Wanted) -> list[Verdict]:
        """One range's; begun again when Cassandra goes away meanwhile."""
        for _ in range(ATTEMPTS - 1):
            try:
                return self._read(ends, wanted)
            except StoreUnavailable:
                time.sleep(PAUSE_SECONDS)
        return self._read(ends, wanted)

    def _read(self, ends: tuple[int, int], wanted: Wanted) -> list[Verdict]:
        with driver_errors_translated():
            found: Any = self._session.execute(self._rows, ends, execution_profile=self._profile)
            texts = [
                (name, text.encode())
                for name, text in found
                if text is not None  # a row whose verdict was deleted
            ]
        return [decode(Verdict, text) for name, text in texts if _is_wanted(name, text, wanted)]


def _is_wanted(name: str, text: bytes, wanted: Wanted) -> bool:
    placed = decode(_Placed, text)
    return wanted(name, placed.source_partition, placed.source_offset)
