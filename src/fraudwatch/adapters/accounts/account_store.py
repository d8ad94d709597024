"""Store of accounts and sessions: a small SQLite file, private to its owner, also for commands.

Each query opens the file anew: that takes less than a millisecond, and a restored file is used at
once.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, astuple, fields
from pathlib import Path
from typing import Any

from fraudwatch.application.console.access import Role
from fraudwatch.application.console.account_rules import Account, AccountsUnavailable, Change
from fraudwatch.application.console.sessions import LoginSession

FILE_NAME = "accounts.sqlite3"
_BUSY_SECONDS = 5.0
_COLUMNS = ", ".join(column.name for column in fields(Account))
_SESSION_COLUMNS = tuple(column.name for column in fields(LoginSession))
_TABLE = """
CREATE TABLE IF NOT EXISTS account (
    login TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    is_open INTEGER NOT NULL,
    password_changes INTEGER NOT NULL,
    changed_at_ms INTEGER NOT NULL,
    changed_by TEXT NOT NULL
) STRICT
"""
_SESSION_TABLE = """
CREATE TABLE IF NOT EXISTS session (
    token_sha256 TEXT PRIMARY KEY,
    login TEXT NOT NULL,
    password_changes INTEGER NOT NULL,
    began_at_ms INTEGER NOT NULL,
    active_at_ms INTEGER NOT NULL
) STRICT
"""
_PUT_SESSION = """
INSERT INTO session
VALUES (:token_sha256, :login, :password_changes, :began_at_ms, :active_at_ms)
"""
_UPDATE_SESSION = """
UPDATE session SET password_changes = :password_changes, active_at_ms = :active_at_ms
WHERE token_sha256 = :token_sha256
"""


class SqliteAccountStore:
    """``LoginStore`` in one file of a folder, created if it is missing."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        try:
            _make_private(self._path)
        except OSError as error:
            raise self._unavailable(error) from error
        with self._opened() as connection:
            connection.execute(_TABLE)
            connection.execute(_SESSION_TABLE)

    def find(self, login: str) -> Account | None:
        with self._opened() as connection:
            query = f"SELECT {_COLUMNS} FROM account WHERE login = ?"  # noqa: S608  our own names
            row = connection.execute(query, (login,)).fetchone()
        return _account_of(row) if row else None

    def list_accounts(self) -> list[Account]:
        with self._opened() as connection:
            return _all_of(connection)

    def write(self, change: Change) -> None:
        marks = ", ".join("?" for _ in fields(Account))
        put = f"INSERT OR REPLACE INTO account ({_COLUMNS}) VALUES ({marks})"  # noqa: S608
        with self._opened() as connection:
            # Locks the file for writing; without COMMIT, closing rolls back.
            connection.execute("BEGIN IMMEDIATE")
            known = {account.login: account for account in _all_of(connection)}
            connection.executemany(put, [astuple(account) for account in change(known)])
            connection.execute("COMMIT")

    def put_session(self, session: LoginSession) -> None:
        with self._opened() as connection:
            connection.execute(_PUT_SESSION, asdict(session))

    def update_session(self, session: LoginSession) -> None:
        with self._opened() as connection:
            connection.execute(_UPDATE_SESSION, asdict(session))

    def find_session(self, token_sha256: str) -> LoginSession | None:
        with self._opened() as connection:
            query = "SELECT * FROM session WHERE token_sha256 = ?"
            row = connection.execute(query, (token_sha256,)).fetchone()
        if row is None:
            return None
        return LoginSession(**dict(zip(_SESSION_COLUMNS, row, strict=True)))

    def remove_session(self, token_sha256: str) -> None:
        with self._opened() as connection:
            connection.execute("DELETE FROM session WHERE token_sha256 = ?", (token_sha256,))

    def remove_sessions_before(self, active_at_ms: int) -> None:
        with self._opened() as connection:
            connection.execute("DELETE FROM session WHERE active_at_ms < ?", (active_at_ms,))

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        # Never created here: a lost file must not come back empty and then be seeded.
        address = f"{self._path.absolute().as_uri()}?mode=rw"
        try:
            with closing(
                sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
            ) as connection:
                yield connection
        except sqlite3.Error as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> AccountsUnavailable:
        return AccountsUnavailable(
            f"the accounts in {self._path} cannot be read or written ({error}), so no user can log "
            "in; restore the file or repair it"
        )


def _all_of(connection: sqlite3.Connection) -> list[Account]:
    query = f"SELECT {_COLUMNS} FROM account ORDER BY login"  # noqa: S608  our own names
    return [_account_of(row) for row in connection.execute(query)]


def _account_of(row: tuple[Any, ...]) -> Account:
    login, role, password_hash, is_open, password_changes, changed_at_ms, changed_by = row
    return Account(
        login=login,
        role=Role(role),
        password_hash=password_hash,
        is_open=bool(is_open),
        password_changes=password_changes,
        changed_at_ms=changed_at_ms,
        changed_by=changed_by,
    )


def _make_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)
