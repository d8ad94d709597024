"""Remove decided alerts from ``open_alert``: each is removed, whichever row arrives first.

An alert and its labels come from two topics, in any order and more than once, to any of several
persisters. So a writer of one row then reads the other: of two concurrent writers at least one
finds both rows, and removes the alert. An alert that is written again after its decision, even when
the tombstone is gone, is removed by the same check.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from cassandra.cluster import Session
from cassandra.concurrent import execute_concurrent_with_args

from fraudwatch.adapters.store.rows import LABELS, OPEN_ALERTS, epoch_ms_from, label_from
from fraudwatch.adapters.store.session import KEYSPACE, translate_driver_errors

MAX_CONCURRENT_QUERIES: Final = 128
_TABLE: Final = f"{KEYSPACE}.{OPEN_ALERTS.name}"


class DecidedAlerts:
    """Removal of decided alerts, for the role that writes them."""

    def __init__(self, session: Session) -> None:
        """Prepare the statements.

        Raises:
            StoreUnavailable: Cassandra does not answer, or the tables do not exist yet.
        """
        self._session = session
        with translate_driver_errors():
            self._labels = session.prepare(
                f"SELECT * FROM {KEYSPACE}.{LABELS.name} "  # noqa: S608  names are ours
                "WHERE transaction_id = ?"
            )
            self._open = session.prepare(
                f"SELECT day, risk, transaction_id, decided_at FROM {_TABLE} "  # noqa: S608  names are ours
                "WHERE transaction_id = ?"
            )
            self._delete = session.prepare(
                f"DELETE FROM {_TABLE} USING TIMESTAMP ? "  # noqa: S608  names are ours
                "WHERE day = ? AND risk = ? AND transaction_id = ?"
            )
        for statement in (self._labels, self._open, self._delete):
            statement.is_idempotent = True

    def close(self, transaction_ids: Iterable[str]) -> None:
        """Remove those of these alerts that a label decides; their rows must be durable already.

        Raises:
            StoreUnavailable: the alerts may still be open; the same call may be repeated.
        """
        names = [(name,) for name in dict.fromkeys(transaction_ids)]
        labels = [label_from(row) for row in self._ask(self._labels, names)]
        known_at_ms: dict[str, int] = {}
        for label in labels:
            if label.decides:
                name = label.transaction_id
                known_at_ms[name] = max(label.known_at_ms, known_at_ms.get(name, 0))
        rows = self._ask(self._open, [(name,) for name in known_at_ms])
        self._ask(self._delete, [_deletion(row, known_at_ms) for row in rows])

    def _ask(self, statement: Any, keys: Iterable[tuple[Any, ...]]) -> list[Mapping[str, Any]]:
        with translate_driver_errors():
            answers = execute_concurrent_with_args(
                self._session, statement, list(keys), concurrency=MAX_CONCURRENT_QUERIES
            )
            return [row for _, rows in answers for row in rows]


def _deletion(row: Mapping[str, Any], known_at_ms: Mapping[str, int]) -> tuple[int, str, str, str]:
    """Return the deletion of a row, at the label's time.

    A chargeback of a replayed history may be known before the alert was decided: then at the
    alert's own time, where a deletion wins.
    """
    name = row["transaction_id"]
    deleted_at_ms = max(known_at_ms[name], epoch_ms_from(row["decided_at"]))
    return deleted_at_ms * 1_000, row["day"], row["risk"], name
