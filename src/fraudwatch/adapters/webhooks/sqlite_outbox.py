"""Outbox of webhooks in a small SQLite file of the home, shared with the command line.

An event's position is its place in the queue of its customer. It is kept by a replay, so that what
is sent again comes in the order of the first time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from fraudwatch.adapters.sqlite_state import SqliteState
from fraudwatch.application.webhooks.ports import DeadEvent, NewEvent, QueuedEvent, QueueLength
from fraudwatch.domain.webhooks.delivery_state import EventState, FailureReason
from fraudwatch.domain.webhooks.subscription import EventKind

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS event (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    subscription_id TEXT NOT NULL,
    webhook_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    queue TEXT NOT NULL,
    body BLOB NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    failure TEXT NOT NULL DEFAULT '',
    added_at_ms INTEGER NOT NULL,
    queued_at_ms INTEGER NOT NULL,
    due_at_ms INTEGER NOT NULL,
    closed_at_ms INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS waiting_by_attempts ON event (subscription_id, attempts, position)
    WHERE state = 'waiting';
DROP INDEX IF EXISTS waiting_event;
CREATE INDEX IF NOT EXISTS waiting_of_queue ON event (subscription_id, queue, position)
    WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS event_of_purchase ON event (subscription_id, transaction_id, kind);
CREATE INDEX IF NOT EXISTS dead_event ON event (closed_at_ms) WHERE state = 'dead';
"""
# A decision without a known verdict has a queue of its own.
_ADD: Final = """
INSERT OR IGNORE INTO event
    (subscription_id, webhook_id, kind, transaction_id, queue, body, state,
     added_at_ms, queued_at_ms, due_at_ms)
VALUES (:subscription, :id, :kind, :transaction,
    COALESCE(
        :customer,
        (SELECT queue FROM event WHERE subscription_id = :subscription
            AND transaction_id = :transaction AND kind = 'verdict'),
        :transaction),
    :body, 'waiting', :now, :now, :now)
"""
# By attempts first: an event that a client refuses must not take each attempt of its subscription
# while other customers' events wait for their first.
_NEXT_DUE: Final = """
SELECT webhook_id, body, attempts, queued_at_ms FROM event AS first
WHERE subscription_id = ? AND state = 'waiting' AND due_at_ms <= ? AND NOT EXISTS (
    SELECT 1 FROM event AS earlier
    WHERE earlier.subscription_id = first.subscription_id AND earlier.state = 'waiting'
        AND earlier.queue = first.queue AND earlier.position < first.position)
ORDER BY attempts, position LIMIT 1
"""
_REPLAY: Final = """
UPDATE event SET state = 'waiting', attempts = 0, failure = '', closed_at_ms = NULL,
    queued_at_ms = :now, due_at_ms = :now
WHERE subscription_id = :subscription AND added_at_ms >= :since
    AND (state = 'dead' OR (state = 'delivered' AND NOT :dead_only))
"""
_DEAD: Final = """
SELECT subscription_id, webhook_id, kind, transaction_id, attempts, failure, added_at_ms,
    closed_at_ms
FROM event WHERE state = 'dead' AND COALESCE(subscription_id = ?, 1)
ORDER BY closed_at_ms DESC, position DESC LIMIT ?
"""


class SqliteOutbox:
    """``Outbox`` in one file, for the threads of one process and for the command line beside it."""

    def __init__(self, path: Path) -> None:
        """Open or create the file, readable by its owner only.

        Raises:
            StoreUnavailable: it cannot be opened.
        """
        self._transaction = SqliteState(path, _TABLES, "the outbox of webhooks").transaction

    def add(self, events: Sequence[NewEvent], now_ms: int) -> int:
        with self._transaction() as connection:
            before = connection.total_changes
            connection.executemany(
                _ADD,
                [
                    {
                        "subscription": one.subscription_id,
                        "id": one.webhook_id,
                        "kind": one.kind,
                        "transaction": one.transaction_id,
                        "customer": one.customer_token,
                        "body": one.body,
                        "now": now_ms,
                    }
                    for one in events
                ],
            )
            return connection.total_changes - before

    def next_due(self, subscription_id: str, now_ms: int) -> QueuedEvent | None:
        with self._transaction() as connection:
            row = connection.execute(_NEXT_DUE, (subscription_id, now_ms)).fetchone()
        if row is None:
            return None
        webhook_id, body, attempts, queued_at_ms = row
        return QueuedEvent(
            webhook_id=webhook_id, body=body, attempts=attempts, queued_at_ms=queued_at_ms
        )

    def delivered(self, webhook_id: str, now_ms: int) -> None:
        with self._transaction() as connection:
            connection.execute(
                "UPDATE event SET state = 'delivered', attempts = attempts + 1, failure = '', "
                "closed_at_ms = ? WHERE webhook_id = ?",
                (now_ms, webhook_id),
            )

    def retry_later(self, webhook_id: str, due_at_ms: int, failure: str) -> None:
        with self._transaction() as connection:
            connection.execute(
                "UPDATE event SET attempts = attempts + 1, due_at_ms = ?, failure = ? "
                "WHERE webhook_id = ?",
                (due_at_ms, failure, webhook_id),
            )

    def give_up(self, webhook_id: str, now_ms: int, failure: str) -> None:
        with self._transaction() as connection:
            connection.execute(
                "UPDATE event SET state = 'dead', attempts = attempts + 1, failure = ?, "
                "closed_at_ms = ? WHERE webhook_id = ?",
                (failure, now_ms, webhook_id),
            )

    def give_up_queued_before(self, subscription_id: str, before_ms: int, now_ms: int) -> int:
        with self._transaction() as connection:
            changed = connection.execute(
                "UPDATE event SET state = 'dead', failure = ?, closed_at_ms = ? "
                "WHERE subscription_id = ? AND state = 'waiting' AND queued_at_ms <= ?",
                (FailureReason.TOO_OLD, now_ms, subscription_id, before_ms),
            )
        return changed.rowcount

    def replay(self, subscription_id: str, since_ms: int, now_ms: int, *, dead_only: bool) -> int:
        values = {
            "subscription": subscription_id,
            "since": since_ms,
            "now": now_ms,
            "dead_only": dead_only,
        }
        with self._transaction() as connection:
            return connection.execute(_REPLAY, values).rowcount

    def dead_events(self, subscription_id: str | None, limit: int) -> list[DeadEvent]:
        with self._transaction() as connection:
            rows = connection.execute(_DEAD, (subscription_id, limit)).fetchall()
        return [
            DeadEvent(
                subscription_id=subscription,
                webhook_id=webhook_id,
                kind=EventKind(kind),
                transaction_id=transaction_id,
                attempts=attempts,
                failure=failure,
                added_at_ms=added_at_ms,
                dead_at_ms=dead_at_ms,
            )
            for (
                subscription, webhook_id, kind, transaction_id, attempts, failure, added_at_ms,
                dead_at_ms,
            ) in rows
        ]  # fmt: skip

    def queue_lengths(self) -> Mapping[str, QueueLength]:
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT subscription_id, COUNT(*), MIN(queued_at_ms) FROM event "
                "WHERE state = 'waiting' GROUP BY subscription_id"
            ).fetchall()
        return {subscription: QueueLength(count, oldest) for subscription, count, oldest in rows}

    def subscription_ids(self) -> frozenset[str]:
        with self._transaction() as connection:
            rows = connection.execute("SELECT DISTINCT subscription_id FROM event").fetchall()
        return frozenset(one for (one,) in rows)

    def prune(
        self, removed: Collection[str], *, closed_before_ms: int, max_events: int
    ) -> Mapping[EventState, int]:
        deleted = dict.fromkeys(EventState, 0)
        known = self.subscription_ids()
        with self._transaction() as connection:

            def delete(condition: str, *values: object) -> None:
                rows = connection.execute(
                    f"DELETE FROM event WHERE {condition} RETURNING state",  # noqa: S608  constants
                    values,
                ).fetchall()
                for (state,) in rows:
                    deleted[EventState(state)] += 1

            delete("closed_at_ms < ?", closed_before_ms)
            for subscription_id in removed:
                delete("subscription_id = ?", subscription_id)
            for subscription_id in known.difference(removed):
                delete(
                    "subscription_id = ? AND position <= (SELECT position FROM event "
                    "WHERE subscription_id = ? ORDER BY position DESC LIMIT 1 OFFSET ?)",
                    subscription_id, subscription_id, max_events,
                )  # fmt: skip
        return deleted
