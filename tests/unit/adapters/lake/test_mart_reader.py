from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pyhive.exc import OperationalError
from thrift.transport.TTransport import TTransportException

from fraudwatch.adapters.lake.mart_reader import HiveReports
from fraudwatch.application.marts import MartsUnavailable, ReportQuery, UnknownReport
from fraudwatch.lake import OUT_FRAUD_BY_DAY, OUT_MONEY


class Server:
    """Fake DB-API connection and cursor: records statements, returns one row as PyHive does."""

    def __init__(self, error: Exception | None = None) -> None:
        self.statements: list[tuple[str, Any]] = []
        self.error = error
        self.open = 1

    description = (
        ("out_money.event_on", "DATE_TYPE"), ("saved_eur_cents", "BIGINT_TYPE"),
        ("labels_known_until", "TIMESTAMP_TYPE"), ("archived_on", "DATE_TYPE"),
    )  # fmt: skip

    def cursor(self) -> Server:
        self.open += 1
        return self

    def execute(self, statement: str, values: Any = None) -> None:
        self.statements.append((statement, values))
        if self.error and statement.startswith("SELECT"):
            raise self.error

    def fetchall(self) -> list[tuple[Any, ...]]:
        return [("2026-11-20", 7, datetime(2026, 11, 21, 3, 0), None)]  # noqa: DTZ001  as it comes

    def close(self) -> None:
        self.open -= 1


def test_rows_have_days_and_instants_and_unknown_is_none() -> None:
    server = Server()
    found = HiveReports(lambda: server).rows(ReportQuery(OUT_MONEY))
    assert found.columns == ["event_on", "saved_eur_cents", "labels_known_until", "archived_on"]
    assert found.rows == [[date(2026, 11, 20), 7, datetime(2026, 11, 21, 3, tzinfo=UTC), None]]
    assert server.open == 0


def test_days_travel_as_values_in_one_statement() -> None:
    server = Server()
    query = ReportQuery(OUT_MONEY, date(2026, 11, 1), date(2026, 11, 20), limit=5)
    HiveReports(lambda: server).rows(query)
    [(statement, values)] = server.statements
    assert statement == (
        "SELECT * FROM fraudwatch.out_money WHERE event_on >= CAST(%(first)s AS DATE)"
        " AND event_on <= CAST(%(last)s AS DATE) ORDER BY event_on DESC LIMIT 5"
    )
    assert values == {"first": "2026-11-01", "last": "2026-11-20"}


@pytest.mark.parametrize("table", ["core_labels", "out_money; DROP TABLE out_money", ""])
def test_only_marts_can_be_queried(table: str) -> None:
    with pytest.raises(UnknownReport, match="no report"):
        ReportQuery(table)


def test_an_empty_query_is_refused() -> None:
    with pytest.raises(ValueError, match="no day"):
        ReportQuery(OUT_FRAUD_BY_DAY, date(2026, 2, 2), date(2026, 2, 1))
    with pytest.raises(ValueError, match="--limit"):
        ReportQuery(OUT_FRAUD_BY_DAY, limit=0)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (TTransportException(message="Could not connect to any of [('127.0.0.1', 1)]"), "answer"),
        (ConnectionResetError("gone"), "does not answer"),
        (TTransportException(message="Bad status: 3 (Error validating the login)"), "the login"),
    ],
)
def test_an_unavailable_server_is_distinguished_from_a_refused_login(
    error: Exception, sentence: str
) -> None:
    def connect() -> Any:
        raise error

    with pytest.raises(MartsUnavailable, match=sentence):
        HiveReports(connect).rows(ReportQuery(OUT_MONEY))


def test_a_refused_query_closes_its_connection() -> None:
    server = Server(OperationalError("TABLE_OR_VIEW_NOT_FOUND"))
    with pytest.raises(MartsUnavailable, match="migrations"):
        HiveReports(lambda: server).rows(ReportQuery(OUT_MONEY))
    assert server.open == 0
