"""Run SQL on the lake's tables through the Thrift Server, with its errors translated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import thrift_sasl
from pyhive import hive
from pyhive.exc import Error
from thrift.Thrift import TException
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TTransportException

from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.settings import HiveSettings

# The first statement on a table may be slow; a day's report too.
STATEMENT_SECONDS = 600.0
_LONGEST_REASON = 500


class ThriftServerUnavailable(StoreUnavailable):
    """The Thrift Server does not answer."""


class HiveLoginRefused(ThriftServerUnavailable):
    """The Thrift Server refuses this user and password."""


class StatementRefused(RuntimeError):
    """The Thrift Server cannot execute a statement."""


class CloseOnErrorSocket(TSocket):  # type: ignore[misc]  # thrift has no types
    """Thrift socket that closes on the first failed read, a time-out above all.

    A late answer would otherwise be read as the answer to the next request.
    """

    def read(self, size: int) -> bytes:
        """Read at most so many bytes."""
        try:
            content: bytes = super().read(size)
        except BaseException:  # an interrupted read leaves its answer on the socket as well
            self.close()
            raise
        return content


class SqlSession:
    """SQL session of one login; returns a DATE as text; unusable after ThriftServerUnavailable."""

    def __init__(self, connection: hive.Connection) -> None:
        self._connection = connection

    def run(self, statement: str, parameters: Sequence[object] | None = None) -> None:
        """Execute a statement without result; %s are placeholders for the parameters.

        Raises:
            StatementRefused: with the server's reason.
            ThriftServerUnavailable: the connection broke; whether it was executed is unknown.
        """
        with self._cursor() as cursor:
            cursor.execute(statement, parameters)

    def rows(
        self, statement: str, parameters: Sequence[object] | None = None
    ) -> list[tuple[Any, ...]]:
        """Execute a statement and return its rows; raises like :meth:`run`."""
        with self._cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    @contextmanager
    def _cursor(self) -> Iterator[hive.Cursor]:
        with _translate_errors():
            cursor = self._connection.cursor()
            yield cursor
            cursor.close()  # a failed one is gone already, or closed with the session


def open_connection(
    settings: HiveSettings, *, timeout_seconds: float = STATEMENT_SECONDS
) -> hive.Connection:
    """Open a DB-API connection; errors are the driver's own."""
    socket = CloseOnErrorSocket(settings.host, settings.port)
    socket.setTimeout(timeout_seconds * 1000)
    return hive.connect(
        thrift_transport=thrift_sasl.TSaslClientTransport(
            lambda: hive.get_installed_sasl(
                host=settings.host,
                sasl_auth="PLAIN",
                username=settings.username,
                password=settings.password.get_secret_value(),
            ),
            "PLAIN",
            socket,
        ),
        username=settings.username,
    )


@contextmanager
def sql_session(
    settings: HiveSettings, *, timeout_seconds: float = STATEMENT_SECONDS
) -> Iterator[SqlSession]:
    """Open a session and close it afterwards.

    Raises:
        ThriftServerUnavailable: no answer, or (:class:`HiveLoginRefused`) the login is refused.
    """
    with _translate_errors():
        connection = open_connection(settings, timeout_seconds=timeout_seconds)
    try:
        yield SqlSession(connection)
    finally:
        with suppress(TException, OSError):  # it may be gone, and the session with it
            connection.close()


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except Error as error:
        raise StatementRefused(_reason(error)) from error
    except TTransportException as error:
        if "validating the login" in str(error):
            raise HiveLoginRefused("the Thrift Server refuses this user and password") from error
        raise ThriftServerUnavailable(f"the Thrift Server does not answer: {error}") from error
    except (TException, OSError) as error:
        raise ThriftServerUnavailable(f"the Thrift Server does not answer: {error}") from error


def _reason(error: Error) -> str:
    """Return the server's own sentence, without the stack trace around it."""
    status = getattr(error.args[0], "status", None) if error.args else None
    text = getattr(status, "errorMessage", None) or str(error)
    return str(text).splitlines()[0][:_LONGEST_REASON]
