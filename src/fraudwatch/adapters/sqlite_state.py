"""State of one process in a small SQLite file: short transactions, on disk when they return."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fraudwatch.application.ports import StoreUnavailable

_BUSY_SECONDS: Final = 5.0


class SqliteState:
    """One file with its tables, for the threads of one process."""

    def __init__(self, path: Path, tables: str, meaning: str) -> None:
        """Open or create the file, readable by its owner only.

        Args:
            path: the file; its folder is created.
            tables: SQL that creates what is missing.
            meaning: the name of the state in errors.

        Raises:
            StoreUnavailable: it cannot be opened.
        """
        self._path, self._meaning, self._lock = path, meaning, threading.Lock()
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None
            )
            path.chmod(0o600)
            self._connection.execute("PRAGMA journal_mode = WAL")
            # A record must outlive a loss of power: what it permits cannot be taken back.
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(tables)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run one transaction; an exception rolls it back.

        Raises:
            StoreUnavailable: the file cannot be used.
        """
        with self._lock, self._translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.OperationalError) as error:
            raise StoreUnavailable(
                f"{self._meaning} {self._path} cannot be used ({error}); is the disk full?"
            ) from error
