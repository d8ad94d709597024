"""Claims on cases in Cassandra: lightweight transactions, so that of two people one gets a case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cassandra import ConsistencyLevel, OperationTimedOut, Timeout
from cassandra.cluster import Session
from cassandra.connection import ConnectionException
from cassandra.protocol import ErrorMessage

from fraudwatch.adapters.store.session import KEYSPACE, driver_errors_translated
from fraudwatch.application.console.casework import CLAIM_SECONDS
from fraudwatch.application.ports import StoreUnavailable

_TABLE = f"{KEYSPACE}.claim"
# All claims lie together; the migration says why that is enough.
_DESK = "console"
_CASE = "desk = ? AND transaction_id = ?"
# A claim may end, or be given back, between being refused and being renewed.
_TRIES = 3
# After these a transaction may have happened or not; an unknown outcome comes as a bare message.
_UNCERTAIN = (Timeout, OperationTimedOut, ConnectionException, ErrorMessage)


class CassandraClaims:
    """``Claims`` that end by themselves after ``lasting_seconds``."""

    def __init__(self, session: Session, *, lasting_seconds: int = CLAIM_SECONDS) -> None:
        """Prepare the statements.

        Raises:
            StoreUnavailable: nobody answers, or the table is not there yet.
        """
        self._session = session
        self._lasting_seconds = lasting_seconds
        with driver_errors_translated():
            self._take = self._prepared(
                f"INSERT INTO {_TABLE} (desk, transaction_id, claimed_by) "  # noqa: S608  names are ours
                "VALUES (?, ?, ?) IF NOT EXISTS USING TTL ?"
            )
            self._renew = self._prepared(
                f"UPDATE {_TABLE} USING TTL ? SET claimed_by = ? "  # noqa: S608  names are ours
                f"WHERE {_CASE} IF claimed_by = ?"
            )
            self._give_back = self._prepared(
                f"DELETE FROM {_TABLE} WHERE {_CASE} IF claimed_by = ?"  # noqa: S608  names are ours
            )
            self._holder = self._prepared(
                f"SELECT claimed_by FROM {_TABLE} WHERE {_CASE}"  # noqa: S608  names are ours
            )
            self._list = self._prepared(
                f"SELECT transaction_id, claimed_by FROM {_TABLE} WHERE desk = ?"  # noqa: S608  names are ours
            )
        # A serial read ends what is still under way, so nothing can happen to its answer later.
        self._holder.consistency_level = ConsistencyLevel.LOCAL_SERIAL
        for statement in (self._holder, self._list):
            statement.is_idempotent = True

    def claim(self, transaction_id: str, login: str) -> str:
        """See :class:`fraudwatch.application.console.casework.Claims`.

        After a time-out whoever holds the case is asked for, and that is the answer; a claim of
        one's own is then sure, its prolongation is not.
        """
        with driver_errors_translated():
            for _ in range(_TRIES):
                holder = self._claimed(transaction_id, login)
                if holder is not None:
                    return holder
        raise StoreUnavailable("Cassandra did not say who has the case: nothing was claimed")

    def release(self, transaction_id: str, login: str) -> None:
        """See :class:`fraudwatch.application.console.casework.Claims`."""
        key = (_DESK, transaction_id, login)
        with driver_errors_translated():
            try:
                self._session.execute(self._give_back, key)
            except _UNCERTAIN:
                if self._held_by(transaction_id) == login:
                    self._session.execute(self._give_back, key)

    def held(self) -> Mapping[str, str]:
        """See :class:`fraudwatch.application.console.casework.Claims`."""
        with driver_errors_translated():
            rows = self._session.execute(self._list, (_DESK,))
            return {row["transaction_id"]: row["claimed_by"] for row in rows}

    def _claimed(self, transaction_id: str, login: str) -> str | None:
        """Who holds the case after one try; None if nobody is seen to."""
        try:
            return self._take_or_renew(transaction_id, login)
        except _UNCERTAIN:
            return self._held_by(transaction_id)

    def _take_or_renew(self, transaction_id: str, login: str) -> str | None:
        seconds = self._lasting_seconds
        is_mine, holder = self._write(self._take, (_DESK, transaction_id, login, seconds))
        if not is_mine and holder == login:
            values = (seconds, login, _DESK, transaction_id, login)
            is_mine, holder = self._write(self._renew, values)
        return login if is_mine else holder

    def _write(self, statement: Any, values: tuple[Any, ...]) -> tuple[bool, str | None]:
        """Whether a conditional write was done; if not, who holds the case instead."""
        answer = self._session.execute(statement, values)
        return answer.was_applied, answer.one().get("claimed_by")

    def _held_by(self, transaction_id: str) -> str | None:
        row = self._session.execute(self._holder, (_DESK, transaction_id)).one()
        return None if row is None else row["claimed_by"]

    def _prepared(self, statement: str) -> Any:
        prepared = self._session.prepare(statement)
        prepared.serial_consistency_level = ConsistencyLevel.LOCAL_SERIAL
        return prepared
