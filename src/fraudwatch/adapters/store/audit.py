"""Read the audit log from Cassandra: one query a day, from the newest day back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cassandra.cluster import Session

from fraudwatch.adapters.store.rows import AUDIT, record_from
from fraudwatch.adapters.store.session import KEYSPACE, translate_driver_errors
from fraudwatch.domain.instants import day_of, epoch_ms_of
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.domain.time_units import DAY_MS

# Most days are empty: a month is queried at once, and a year takes twelve rounds.
DAYS_AT_ONCE = 32


class CassandraAudit:
    """``AuditReader`` over ``audit_by_day``."""

    def __init__(self, session: Session) -> None:
        """Prepare the statement.

        Raises:
            StoreUnavailable: Cassandra does not answer, or the table does not exist yet.
        """
        self._session = session
        with translate_driver_errors():
            self._of_day = session.prepare(
                f"SELECT record FROM {KEYSPACE}.{AUDIT.name} "  # noqa: S608  names are ours
                "WHERE day = ? AND at >= ? AND at <= ? LIMIT ?"
            )
        self._of_day.is_idempotent = True

    def audited(self, since: datetime, *, now: datetime, limit: int) -> list[AuditRecord]:
        first_ms, last_ms = epoch_ms_of(since), epoch_ms_of(now)
        found: list[AuditRecord] = []
        for days in _days_back(first_ms, last_ms):
            found += self._of(days, (first_ms, last_ms, limit))
            if len(found) >= limit:
                break
        return found[:limit]

    def _of(self, days: list[str], bounds: tuple[int, int, int]) -> list[AuditRecord]:
        with translate_driver_errors():
            futures = [self._session.execute_async(self._of_day, (day, *bounds)) for day in days]
            return [record_from(row) for answer in futures for row in answer.result()]


def _days_back(first_ms: int, last_ms: int) -> Iterator[list[str]]:
    """Yield the days from the last back to the first, in groups."""
    midnights = range(last_ms // DAY_MS, first_ms // DAY_MS - 1, -1)
    for start in range(0, len(midnights), DAYS_AT_ONCE):
        yield [day_of(day * DAY_MS) for day in midnights[start : start + DAYS_AT_ONCE]]
