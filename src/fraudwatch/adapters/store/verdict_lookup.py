"""Look up verdicts by transaction for ingest, which must run without the store.

If the store is away when ingest starts, the session is opened later, in the background. While it is
unavailable, and for a moment after a failed read, each lookup fails at once, so that an outage does
not delay callers.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from typing import Final

from cassandra.cluster import Session
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.query import PreparedStatement

from fraudwatch.adapters.store.rows import VERDICTS, verdict_from
from fraudwatch.adapters.store.session import KEYSPACE, close, translate_driver_errors
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.messages.verdict import Verdict

log = logging.getLogger(__name__)

# A caller waits for it: unknown within this time is treated as not stored.
LOOKUP_SECONDS: Final = 0.5
_OPEN_AGAIN_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 2.0
_CONCURRENT_QUERIES: Final = 32


class CassandraVerdictLookup:
    """``VerdictLookup`` over ``verdict_by_transaction``, with a read-only role."""

    def __init__(
        self,
        connect: Callable[[], Session],
        *,
        now_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect, self._now_seconds = connect, now_seconds
        self._opened: tuple[Session, PreparedStatement] | None = None
        self._paused_until_seconds = 0.0

    def start(self) -> None:
        """Open the session; if the store does not answer, retry in the background."""
        if not self._is_open_now():
            threading.Thread(target=self._open_later, name="verdict lookup", daemon=True).start()

    def verdicts_of(self, transaction_ids: Collection[str]) -> dict[str, Verdict]:
        opened = self._opened
        if opened is None or self._now_seconds() < self._paused_until_seconds:
            raise StoreUnavailable("the store is not open, or failed a moment ago")
        session, statement = opened
        keys = [(name,) for name in dict.fromkeys(transaction_ids)]
        try:
            with translate_driver_errors():
                answers = execute_concurrent_with_args(
                    session, statement, keys, concurrency=_CONCURRENT_QUERIES
                )
        except StoreUnavailable:
            self._paused_until_seconds = self._now_seconds() + _PAUSE_SECONDS
            raise
        found = [verdict_from(row) for answer in answers for row in answer.result_or_exc]
        return {verdict.transaction_id: verdict for verdict in found}

    def open(self) -> None:
        """Open the session.

        Raises:
            StoreUnavailable: Cassandra does not answer, or the table does not exist yet.
        """
        session = self._connect()
        try:
            with translate_driver_errors():
                statement = session.prepare(
                    f"SELECT verdict FROM {KEYSPACE}.{VERDICTS.name} "  # noqa: S608  names are ours
                    "WHERE transaction_id = ?"
                )
        except StoreUnavailable:
            close(session)
            raise
        statement.is_idempotent = True
        self._opened = session, statement

    def _is_open_now(self) -> bool:
        try:
            self.open()
        except StoreUnavailable as error:
            log.warning("%s; repeated purchases are answered without their verdicts", error)
            return False
        return True

    def _open_later(self) -> None:
        while True:
            time.sleep(_OPEN_AGAIN_SECONDS)
            if self._is_open_now():
                return
