"""State of the notifier in a small SQLite file: alerts by channel, messages, notices.

Each method is one transaction, on disk before it returns. So a kill leaves the state of before or
after it, and what is sent can be recorded before it is sent.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.sqlite_state import SqliteState
from fraudwatch.application.notifying.ports import MAX_PENDING, StaffMessage
from fraudwatch.domain.notifications.customer_notice import (
    CustomerNotice,
    NoticeState,
    NoticeTemplate,
)
from fraudwatch.domain.notifications.staff_alert import StaffAlert
from fraudwatch.domain.notifications.staff_policy import MessageKind, PendingAlert, SentMessage

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS alert (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    verdict_id TEXT NOT NULL,
    is_critical INTEGER NOT NULL,
    content BLOB NOT NULL,
    added_at_ms INTEGER NOT NULL,
    message_id TEXT,
    UNIQUE (channel, verdict_id)
) STRICT;
CREATE INDEX IF NOT EXISTS pending_in_order ON alert (
    channel, is_critical DESC, CASE WHEN is_critical THEN -position ELSE position END
) WHERE message_id IS NULL;
DROP INDEX IF EXISTS pending_alert;
CREATE TABLE IF NOT EXISTS message (
    channel TEXT NOT NULL,
    message_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    customer_tokens TEXT NOT NULL,
    verdict_ids TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    composed_at_ms INTEGER NOT NULL,
    closed_at_ms INTEGER,
    is_sent INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (channel, message_id)
) STRICT;
CREATE TABLE IF NOT EXISTS notice (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    verdict_id TEXT NOT NULL UNIQUE,
    transaction_id TEXT NOT NULL,
    customer_token TEXT NOT NULL,
    template TEXT NOT NULL,
    event_at_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    changed_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS waiting_notice ON notice (position) WHERE state = 'waiting';
"""


# In the order of the index pending_in_order: during an attack tens of thousands may wait, and the
# worker asks every second.
_PENDING: Final = """
SELECT position, content, added_at_ms FROM alert
WHERE channel = ? AND message_id IS NULL
ORDER BY is_critical DESC, CASE WHEN is_critical THEN -position ELSE position END LIMIT ?
"""


class SqliteNotificationStore:
    """``NotificationStore`` in one file, for the threads of one process."""

    def __init__(self, path: Path) -> None:
        """Open or create the file, readable by its owner only.

        Raises:
            StoreUnavailable: it cannot be opened.
        """
        self._transaction = SqliteState(path, _TABLES, "the notifier's state").transaction

    def add(
        self,
        alerts: Sequence[StaffAlert],
        notices: Sequence[CustomerNotice],
        *,
        channels: Collection[str],
        now_ms: int,
    ) -> None:
        with self._transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO alert "
                "(channel, verdict_id, is_critical, content, added_at_ms) VALUES (?, ?, ?, ?, ?)",
                [
                    (channel, one.verdict_id, one.risk == "CRITICAL", encode(one), now_ms)
                    for one in alerts
                    for channel in channels
                ],
            )
            connection.executemany(
                "INSERT OR IGNORE INTO notice (verdict_id, transaction_id, customer_token, "
                "template, event_at_ms, state, changed_at_ms) VALUES (?, ?, ?, ?, ?, 'waiting', ?)",
                [
                    (n.verdict_id, n.transaction_id, n.customer_token, n.template, n.event_at_ms,
                     now_ms)
                    for n in notices
                ],
            )  # fmt: skip

    def pending(self, channel: str, limit: int = MAX_PENDING) -> list[PendingAlert]:
        with self._transaction() as connection:
            rows = sorted(connection.execute(_PENDING, (channel, limit)))
        return [PendingAlert(decode(StaffAlert, content), at_ms) for _, content, at_ms in rows]

    def unsent(self, channel: str) -> StaffMessage | None:
        query = (
            "SELECT channel, message_id, kind, customer_tokens, verdict_ids, subject, text, "
            "composed_at_ms FROM message WHERE channel = ? AND closed_at_ms IS NULL"
        )
        with self._transaction() as connection:
            row = connection.execute(query, (channel,)).fetchone()
        if row is None:
            return None
        name, message_id, kind, customers, verdicts, subject, text, composed_at_ms = row
        return StaffMessage(
            channel=name,
            message_id=message_id,
            kind=MessageKind(kind),
            customer_tokens=frozenset(json.loads(customers)),
            verdict_ids=tuple(json.loads(verdicts)),
            subject=subject,
            text=text,
            composed_at_ms=composed_at_ms,
        )

    def compose(self, message: StaffMessage) -> None:
        with self._transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO message (channel, message_id, kind, customer_tokens, "
                "verdict_ids, subject, text, composed_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (message.channel, message.message_id, message.kind,
                 json.dumps(sorted(message.customer_tokens)), json.dumps(message.verdict_ids),
                 message.subject, message.text, message.composed_at_ms),
            )  # fmt: skip
            connection.executemany(
                "UPDATE alert SET message_id = ? WHERE channel = ? AND verdict_id = ?",
                [(message.message_id, message.channel, one) for one in message.verdict_ids],
            )

    def close(self, message: StaffMessage, *, is_sent: bool, now_ms: int) -> None:
        with self._transaction() as connection:
            connection.execute(
                "UPDATE message SET closed_at_ms = ?, is_sent = ? "
                "WHERE channel = ? AND message_id = ?",
                (now_ms, is_sent, message.channel, message.message_id),
            )

    def sent_since(self, channel: str, since_ms: int) -> list[SentMessage]:
        query = (
            "SELECT kind, customer_tokens, closed_at_ms FROM message "
            "WHERE channel = ? AND is_sent = 1 AND closed_at_ms > ? ORDER BY closed_at_ms"
        )
        with self._transaction() as connection:
            rows = connection.execute(query, (channel, since_ms)).fetchall()
        return [
            SentMessage(MessageKind(kind), frozenset(json.loads(tokens)), at_ms)
            for kind, tokens, at_ms in rows
        ]

    def waiting_notices(self, limit: int) -> list[CustomerNotice]:
        query = (
            "SELECT verdict_id, transaction_id, customer_token, template, event_at_ms "
            "FROM notice WHERE state = 'waiting' ORDER BY position LIMIT ?"
        )
        with self._transaction() as connection:
            rows = connection.execute(query, (limit,)).fetchall()
        return [
            CustomerNotice(
                verdict_id=verdict_id,
                transaction_id=transaction_id,
                customer_token=token,
                template=NoticeTemplate(template),
                event_at_ms=event_at_ms,
            )
            for verdict_id, transaction_id, token, template, event_at_ms in rows
        ]

    def begin_notice(self, verdict_id: str, now_ms: int) -> bool:
        with self._transaction() as connection:
            changed = connection.execute(
                "UPDATE notice SET state = 'asked', changed_at_ms = ? "
                "WHERE verdict_id = ? AND state = 'waiting'",
                (now_ms, verdict_id),
            )
        return changed.rowcount == 1

    def end_notice(self, verdict_id: str, state: NoticeState, now_ms: int) -> None:
        with self._transaction() as connection:
            connection.execute(
                "UPDATE notice SET state = ?, changed_at_ms = ? WHERE verdict_id = ?",
                (state, now_ms, verdict_id),
            )

    def close_interrupted_notices(self, now_ms: int) -> int:
        with self._transaction() as connection:
            changed = connection.execute(
                "UPDATE notice SET state = 'uncertain', changed_at_ms = ? WHERE state = 'asked'",
                (now_ms,),
            )
        return changed.rowcount

    def prune(self, before_ms: int) -> None:
        with self._transaction() as connection:
            connection.execute("DELETE FROM alert WHERE added_at_ms < ?", (before_ms,))
            connection.execute("DELETE FROM message WHERE closed_at_ms < ?", (before_ms,))
            connection.execute("DELETE FROM notice WHERE changed_at_ms < ?", (before_ms,))
