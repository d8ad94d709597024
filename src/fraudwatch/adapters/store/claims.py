"""Claims on cases in Cassandra: lightweight transactions, so that one of two analysts wins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cassandra import ConsistencyLevel, OperationTimedOut, Timeout
from cassandra.cluster import Session
from cassandra.connection import ConnectionException
from cassandra.protocol import ErrorMessage

from fraudwatch.adapters.store.session import KEYSPACE, translate_driver_errors
from fraudwatch.application.console.casework import CLAIM_SECONDS
from fraudwatch.application.ports import StoreUnavailable

_TABLE = f"{KEYSPACE}.claim"
# All claims are in one partition; the migration says why that is enough.
_PARTITION = "console"
_CASE = "desk = ? AND transaction_id = ?"
# A claim may expire or be released between a refusal and a renewal.
_TRIES = 3
# After these errors the transaction may or may not have been applied.
_UNCERTAIN = (Timeout, OperationTimedOut, ConnectionException, ErrorMessage)


class CassandraClaims:
    """``Claims`` that expire after ``claim_seconds``."""

    def __init__(self, session: Session, *, claim_seconds: int = CLAIM_SECONDS) -> None:
        """Prepare the statements.

        Raises:
            StoreUnavailable: Cassandra does not answer, or the table does not exist yet.
        """
        self._session = session
        self._lasting_seconds = claim_seconds
        with translate_driver_errors():
            self._insert = self._prepared(
                f"INSERT INTO {_TABLE} (desk, transaction_id, claimed_by) "  # noqa: S608  names are ours
                "VALUES (?, ?, ?) IF NOT EXISTS USING TTL ?"
            )
            self._renew = self._prepared(
                f"UPDATE {_TABLE} USING TTL ? SET claimed_by = ? "  # noqa: S608  names are ours
                f"WHERE {_CASE} IF claimed_by = ?"
            )
            self._delete = self._prepared(
                f"DELETE FROM {_TABLE} WHERE {_CASE} IF claimed_by = ?"  # noqa: S608  names are ours
            )
            self._owner = self._prepared(
                f"SELECT claimed_by FROM {_TABLE} WHERE {_CASE}"  # noqa: S608  names are ours
            )
            self._list = self._prepared(
                f"SELECT transaction_id, claimed_by FROM {_TABLE} WHERE desk = ?"  # noqa: S608  names are ours
            )
        # A serial read finishes transactions in progress, so its answer is final.
        self._owner.consistency_level = ConsistencyLevel.LOCAL_SERIAL
        for statement in (self._owner, self._list):
            statement.is_idempotent = True

    def claim(self, transaction_id: str, login: str) -> str:
        """See :class:`fraudwatch.application.console.casework.Claims`.

        After a time-out the owner is read back and returned; an own claim is then certain, its
        renewal is not.
        """
        with translate_driver_errors():
            for _ in range(_TRIES):
                owner = self._claimed(transaction_id, login)
                if owner is not None:
                    return owner
        raise StoreUnavailable(
            "Cassandra did not return the owner of the claim: nothing was claimed"
        )

    def release(self, transaction_id: str, login: str) -> None:
        key = (_PARTITION, transaction_id, login)
        with translate_driver_errors():
            try:
                self._session.execute(self._delete, key)
            except _UNCERTAIN:
                if self._owner_of(transaction_id) == login:
                    self._session.execute(self._delete, key)

    def active_claims(self) -> Mapping[str, str]:
        with translate_driver_errors():
            rows = self._session.execute(self._list, (_PARTITION,))
            return {row["transaction_id"]: row["claimed_by"] for row in rows}

    def _claimed(self, transaction_id: str, login: str) -> str | None:
        """Try once to claim; return the owner, or None if no claim is found."""
        try:
            return self._insert_or_renew(transaction_id, login)
        except _UNCERTAIN:
            return self._owner_of(transaction_id)

    def _insert_or_renew(self, transaction_id: str, login: str) -> str | None:
        seconds = self._lasting_seconds
        is_mine, owner = self._write(self._insert, (_PARTITION, transaction_id, login, seconds))
        if not is_mine and owner == login:
            values = (seconds, login, _PARTITION, transaction_id, login)
            is_mine, owner = self._write(self._renew, values)
        return login if is_mine else owner

    def _write(self, statement: Any, values: tuple[Any, ...]) -> tuple[bool, str | None]:
        """Return whether a conditional write was applied, and if not, the owner of the claim."""
        answer = self._session.execute(statement, values)
        return answer.was_applied, answer.one().get("claimed_by")

    def _owner_of(self, transaction_id: str) -> str | None:
        row = self._session.execute(self._owner, (_PARTITION, transaction_id)).one()
        return None if row is None else row["claimed_by"]

    def _prepared(self, statement: str) -> Any:
        prepared = self._session.prepare(statement)
        prepared.serial_consistency_level = ConsistencyLevel.LOCAL_SERIAL
        return prepared
