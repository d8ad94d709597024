"""SQL over the lake's tables through the Thrift Server; errors in the application's words."""

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

# A first statement on a table may take its time; a day's report too.
STATEMENT_SECONDS = 600.0
_LONGEST_REASON = 500


class LakeUnavailable(StoreUnavailable):
    """The Thrift Server does not answer."""


class LoginRefused(LakeUnavailable):
    """It answers, but not to this user and password."""


class StatementRefused(RuntimeError):
    """It answers, but cannot do what a statement says."""


class HangingUpSocket(TSocket):  # type: ignore[misc]  # thrift has no types
    """Closed by the first read that fails, a time-out above all.

    The answer that comes later would be read as that of the next question, whatever it is.
    """

    def read(self, size: int) -> bytes:
        """At most so many bytes."""
        try:
            told: bytes = super().read(size)
        except BaseException:  # whoever is interrupted leaves an answer behind as well
            self.close()
            raise
        return told


class SqlSession:
    """One login; a DATE comes back as text. After LakeUnavailable it answers no more."""

    def __init__(self, connection: hive.Connection) -> None:
        self._connection = connection

    def run(self, statement: str, parameters: Sequence[object] | None = None) -> None:
        """Execute a statement for what it does; %s stand for the parameters.

        Raises:
            StatementRefused: with the server's reason.
            LakeUnavailable: the connection broke; nobody knows whether it was done.
        """
        with self._cursor() as cursor:
            cursor.execute(statement, parameters)

    def rows(
        self, statement: str, parameters: Sequence[object] | None = None
    ) -> list[tuple[Any, ...]]:
        """Execute a statement for what it answers; raises like :meth:`run`."""
        with self._cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    @contextmanager
    def _cursor(self) -> Iterator[hive.Cursor]:
        with _errors_translated():
            cursor = self._connection.cursor()
            yield cursor
            cursor.close()  # of one that failed nothing is left, or the session's end takes it


def connected(
    settings: HiveSettings, *, timeout_seconds: float = STATEMENT_SECONDS
) -> hive.Connection:
    """A DB-API connection; its errors are the driver's own."""
    socket = HangingUpSocket(settings.host, settings.port)
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
    """Log in; log out afterwards.

    Raises:
        LakeUnavailable: nobody answers, or (:class:`LoginRefused`) the login is refused.
    """
    with _errors_translated():
        connection = connected(settings, timeout_seconds=timeout_seconds)
    try:
        yield SqlSession(connection)
    finally:
        with suppress(TException, OSError):  # it may be gone, and the session with it
            connection.close()


@contextmanager
def _errors_translated() -> Iterator[None]:
    try:
        yield
    except Error as error:
        raise StatementRefused(_reason(error)) from error
    except TTransportException as error:
        if "validating the login" in str(error):
            raise LoginRefused("the Thrift Server refuses this user and password") from error
        raise LakeUnavailable(f"the Thrift Server does not answer: {error}") from error
    except (TException, OSError) as error:
        raise LakeUnavailable(f"the Thrift Server does not answer: {error}") from error


def _reason(error: Error) -> str:
    """The server's own sentence, without the stack trace around it."""
    status = getattr(error.args[0], "status", None) if error.args else None
    text = getattr(status, "errorMessage", None) or str(error)
    return str(text).splitlines()[0][:_LONGEST_REASON]
