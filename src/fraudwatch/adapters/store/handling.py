"""Handling of open cases in Cassandra: lightweight transactions, so that no change is lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cassandra import ConsistencyLevel
from cassandra.cluster import Session

from fraudwatch.adapters.store.rows import epoch_ms_from
from fraudwatch.adapters.store.session import KEYSPACE, translate_driver_errors
from fraudwatch.application.console.handling import Handling

_TABLE: Final = f"{KEYSPACE}.case_handling"
# All rows are in one partition; the migration says why that is enough.
_PARTITION: Final = "console"


class CassandraHandlings:
    """``HandlingStore`` of conditional updates; a handling that becomes empty leaves no row."""

    def __init__(self, session: Session) -> None:
        """Prepare the statements.

        Raises:
            StoreUnavailable: Cassandra does not answer, or the table does not exist yet.
        """
        self._session = session
        with translate_driver_errors():
            self._list = session.prepare(
                f"SELECT * FROM {_TABLE} WHERE console = ?"  # noqa: S608  names are ours
            )
            self._update = session.prepare(
                f"UPDATE {_TABLE} SET assigned_to = ?, assigned_by = ?, "  # noqa: S608  names are ours
                "snoozed_until = ?, snoozed_by = ?, snooze_reason = ? "
                "WHERE console = ? AND transaction_id = ? "
                "IF assigned_to = ? AND snoozed_until = ?"
            )
        self._list.is_idempotent = True
        self._update.serial_consistency_level = ConsistencyLevel.LOCAL_SERIAL

    def handlings(self) -> Mapping[str, Handling]:
        with translate_driver_errors():
            rows = self._session.execute(self._list, (_PARTITION,))
            return {row["transaction_id"]: _handling_from(row) for row in rows}

    def change(self, transaction_id: str, before: Handling, after: Handling) -> bool:
        values = (
            after.assigned_to,
            after.assigned_by,
            after.snoozed_until_ms,
            after.snoozed_by,
            after.snooze_reason,
            _PARTITION,
            transaction_id,
            before.assigned_to,
            before.snoozed_until_ms,
        )
        with translate_driver_errors():
            return bool(self._session.execute(self._update, values).was_applied)


def _handling_from(row: Mapping[str, Any]) -> Handling:
    until = row["snoozed_until"]
    return Handling(
        assigned_to=row["assigned_to"],
        assigned_by=row["assigned_by"],
        snoozed_until_ms=None if until is None else epoch_ms_from(until),
        snoozed_by=row["snoozed_by"],
        snooze_reason=row["snooze_reason"],
    )
