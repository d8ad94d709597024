"""The system of record, as the proof looks at it: which verdict rows there are."""

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
from fraudwatch.stack.place import Unusable

_LOOK_AGAIN_SECONDS = 0.25
_REQUEST_SECONDS = 10.0
_TABLE = f"{KEYSPACE}.verdict_by_transaction"


class StoredVerdicts:
    """Asks again while Cassandra is away: it is one of those that are killed."""

    def __init__(self, settings: CassandraSettings) -> None:
        self._settings = settings

    def wait_for(self, ids: Collection[str], within_seconds: float) -> None:
        """Return when each of these has its row.

        Raises:
            Unusable: not in time.
        """
        deadline, missing = time.monotonic() + within_seconds, set(ids)
        while missing:
            with suppress(StoreUnavailable):
                self._look_for(missing, deadline)
            if missing and time.monotonic() > deadline:
                raise Unusable(
                    f"{len(missing)} of {len(ids)} purchases have no row after "
                    f"{within_seconds:.0f} s, such as {min(missing)}"
                )

    def _look_for(self, missing: set[str], deadline: float) -> None:
        """Cross off what has its row, until nothing is missing or Cassandra goes away."""
        with _session(self._settings) as session, translate_driver_errors():
            while missing and time.monotonic() < deadline:
                missing -= _found(session, missing)
                time.sleep(_LOOK_AGAIN_SECONDS if missing else 0)

    def write_to(self, path: Path) -> int:
        """Write every row to a file; returns how many there are."""
        with _session(self._settings) as session:
            found = session.execute(f"SELECT transaction_id, verdict FROM {_TABLE}")  # noqa: S608  names are ours
            return write_rows(
                path, ((row["transaction_id"], verdict_from(row).verdict_id) for row in found)
            )


@contextmanager
def _session(settings: CassandraSettings) -> Iterator[Session]:
    session = connect(settings, request_timeout_seconds=_REQUEST_SECONDS)
    try:
        yield session
    finally:
        close(session)


def _found(session: Session, ids: Collection[str]) -> set[str]:
    asked = f"SELECT transaction_id FROM {_TABLE} WHERE transaction_id = %s"  # noqa: S608  names are ours
    rows: list[Any] = [session.execute(asked, (one,)).one() for one in ids]
    return {row["transaction_id"] for row in rows if row is not None}
