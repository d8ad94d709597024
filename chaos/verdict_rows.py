"""Read the verdict rows of Cassandra, also while it is being killed."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cassandra.cluster import Session

from chaos.rows_file import write_rows
from fraudwatch.adapters.store.rows import verdict_from
from fraudwatch.adapters.store.session import KEYSPACE, close, connect, translate_driver_errors
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.settings import CassandraSettings
from fraudwatch.stack.home import StackError

_POLL_SECONDS = 0.25
_REQUEST_SECONDS = 10.0
_TABLE = f"{KEYSPACE}.verdict_by_transaction"


class VerdictRows:
    """Reader of verdict rows that retries while Cassandra, itself a target, is unavailable."""

    def __init__(self, settings: CassandraSettings) -> None:
        self._settings = settings

    def wait_for(self, ids: Collection[str], within_seconds: float) -> None:
        """Return when each of these transactions has its row.

        Raises:
            StackError: some have none in time.
        """
        deadline, missing = time.monotonic() + within_seconds, set(ids)
        while missing:
            with suppress(StoreUnavailable):
                self._remove_stored(missing, deadline)
            if missing and time.monotonic() > deadline:
                raise StackError(
                    f"{len(missing)} of {len(ids)} purchases have no row after "
                    f"{within_seconds:.0f} s, such as {min(missing)}, so the path did not "
                    "recover; see the logs of detector and persister"
                )

    def _remove_stored(self, missing: set[str], deadline: float) -> None:
        """Remove ids with a row from the set, until it is empty or Cassandra is unavailable."""
        with _session(self._settings) as session, translate_driver_errors():
            while missing and time.monotonic() < deadline:
                missing -= _stored(session, missing)
                time.sleep(_POLL_SECONDS if missing else 0)

    def write_to(self, path: Path) -> int:
        """Write every row to a file; returns the number of rows."""
        with _session(self._settings) as session:
            rows = session.execute(f"SELECT transaction_id, verdict FROM {_TABLE}")  # noqa: S608  names are ours
            return write_rows(
                path, ((row["transaction_id"], verdict_from(row).verdict_id) for row in rows)
            )


@contextmanager
def _session(settings: CassandraSettings) -> Iterator[Session]:
    session = connect(settings, request_timeout_seconds=_REQUEST_SECONDS)
    try:
        yield session
    finally:
        close(session)


def _stored(session: Session, ids: Collection[str]) -> set[str]:
    query = f"SELECT transaction_id FROM {_TABLE} WHERE transaction_id = %s"  # noqa: S608  names are ours
    rows: list[Any] = [session.execute(query, (one,)).one() for one in ids]
    return {row["transaction_id"] for row in rows if row is not None}
