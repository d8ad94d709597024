"""Reviews in Cassandra: lightweight transactions, so that one of two persons files or decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cassandra import ConsistencyLevel
from cassandra.cluster import Session

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.store.session import KEYSPACE, translate_driver_errors
from fraudwatch.application.console.reviews import Review

_OPEN: Final = f"{KEYSPACE}.open_review"
_DECIDED: Final = f"{KEYSPACE}.decided_review"
# All open reviews are in one partition: a few a day are filed.
_PARTITION: Final = "console"


class CassandraReviews:
    """``ReviewStore`` over the tables of open and of decided reviews."""

    def __init__(self, session: Session) -> None:
        """Prepare the statements.

        Raises:
            StoreUnavailable: Cassandra does not answer, or the tables do not exist yet.
        """
        self._session = session
        with translate_driver_errors():
            self._open = self._prepared(
                f"SELECT review FROM {_OPEN} WHERE console = ?"  # noqa: S608  names are ours
            )
            self._decided = self._prepared(
                f"SELECT review FROM {_DECIDED} WHERE transaction_id = ?"  # noqa: S608  names are ours
            )
            self._file = self._prepared(
                f"INSERT INTO {_OPEN} (console, transaction_id, review) "  # noqa: S608  names are ours
                "VALUES (?, ?, ?) IF NOT EXISTS"
            )
            self._decide = self._prepared(
                f"INSERT INTO {_DECIDED} (transaction_id, requested_at, review) "  # noqa: S608  names are ours
                "VALUES (?, ?, ?) IF NOT EXISTS"
            )
            self._close = self._prepared(
                f"DELETE FROM {_OPEN} WHERE console = ? AND transaction_id = ? IF EXISTS"  # noqa: S608  names are ours
            )
        for statement in (self._open, self._decided):
            statement.is_idempotent = True

    def open_reviews(self) -> Mapping[str, Review]:
        with translate_driver_errors():
            rows = self._session.execute(self._open, (_PARTITION,))
            reviews = [_review_from(row) for row in rows]
        return {review.transaction_id: review for review in reviews}

    def decided_reviews(self, transaction_id: str) -> list[Review]:
        with translate_driver_errors():
            rows = self._session.execute(self._decided, (transaction_id,))
            return [_review_from(row) for row in rows]

    def file(self, review: Review) -> bool:
        values = (_PARTITION, review.transaction_id, encode(review).decode())
        with translate_driver_errors():
            return bool(self._session.execute(self._file, values).was_applied)

    def decide(self, decided: Review) -> Review:
        # Decided first, then no longer open: killed in between, the review is decided again, and
        # the first decision stays.
        key = (decided.transaction_id, decided.requested_at_ms)
        with translate_driver_errors():
            answer = self._session.execute(self._decide, (*key, encode(decided).decode()))
            stored = decided if answer.was_applied else _review_from(answer.one())
            self._session.execute(self._close, (_PARTITION, decided.transaction_id))
        return stored

    def _prepared(self, statement: str) -> Any:
        prepared = self._session.prepare(statement)
        prepared.serial_consistency_level = ConsistencyLevel.LOCAL_SERIAL
        return prepared


def _review_from(row: Mapping[str, Any]) -> Review:
    return decode(Review, row["review"].encode())
