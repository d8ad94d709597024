"""Read marts of the lake with PyHive from the Spark Thrift Server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date
from typing import Any, Final

from fraudwatch.adapters.lake.hive_sql import open_connection
from fraudwatch.application.marts import MartsUnavailable, ReportQuery, ReportRows
from fraudwatch.lake import DATABASE
from fraudwatch.settings import HiveSettings

# Opens a DB-API connection.
Connect = Callable[[], Any]
_REFUSED_LOGIN: Final = "validating the login"  # in the server's answer to a wrong password
_STARTED_BY: Final = "./fraudwatch up --profile lake"


class HiveReports:
    """Reader of marts, with one connection a query."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    @classmethod
    def of(cls, settings: HiveSettings) -> HiveReports:
        """Create a reader for the server and user of the settings."""
        return cls(lambda: open_connection(settings))

    def rows(self, query: ReportQuery) -> ReportRows:
        """Query the mart's rows, newest day first.

        Raises:
            MartsUnavailable: the server does not answer, or refuses the login or the query.
        """
        statement, values = _statement(query)
        with self._cursor() as cursor:
            cursor.execute(statement, values)
            # Some servers put the table's name before each column.
            columns = [column[0].rpartition(".")[2] for column in cursor.description]
            kinds = [column[1] for column in cursor.description]
            return ReportRows(columns, [_converted(row, kinds) for row in cursor.fetchall()])

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        from pyhive.exc import Error
        from thrift.Thrift import TException

        try:
            with closing(self._connect()) as connection, closing(connection.cursor()) as cursor:
                yield cursor
        except (TException, OSError) as error:
            raise MartsUnavailable(_why_unavailable(str(error))) from error
        except Error as error:
            raise MartsUnavailable(
                "the lake's SQL server could not run the query; see ./fraudwatch logs "
                "thrift_server, and whether lake_setup has applied its migrations"
            ) from error


def _statement(query: ReportQuery) -> tuple[str, dict[str, str]]:
    column = query.day_column
    bounds = {"first": (">=", query.first), "last": ("<=", query.last)}
    given = {name: (sign, day) for name, (sign, day) in bounds.items() if day is not None}
    conditions = [f"{column} {sign} CAST(%({name})s AS DATE)" for name, (sign, _) in given.items()]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    statement = (
        f"SELECT * FROM {DATABASE}.{query.table}{where} "  # noqa: S608  a checked name
        f"ORDER BY {column} DESC LIMIT {query.limit:d}"
    )
    return statement, {name: day.isoformat() for name, (_, day) in given.items()}


def _converted(row: Sequence[Any], kinds: Sequence[str]) -> list[Any]:
    return [_value(value, kind) for value, kind in zip(row, kinds, strict=True)]


def _value(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "DATE_TYPE":
        return date.fromisoformat(value) if isinstance(value, str) else value
    if kind == "TIMESTAMP_TYPE":
        return value.replace(tzinfo=UTC)
    return value


def _why_unavailable(text: str) -> str:
    if _REFUSED_LOGIN in text:
        return (
            "the lake's SQL server refused the login, so no report can be read; the password in "
            f".env is not the one it was started with: ./fraudwatch down, then {_STARTED_BY}"
        )
    return (
        "the lake's SQL server does not answer, so no report can be read; start it with "
        f"{_STARTED_BY}, or see ./fraudwatch logs thrift_server"
    )
