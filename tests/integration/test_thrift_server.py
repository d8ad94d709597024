"""Reports from the real Thrift Server, with the right and a wrong password."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from fraudwatch.adapters.lake.hive_sql import sql_session
from fraudwatch.adapters.lake.mart_reader import HiveReports
from fraudwatch.application.marts import MartsUnavailable, ReportQuery
from fraudwatch.lake import REPORT_DAYS
from fraudwatch.settings import HiveSettings
from fraudwatch.stack.private_stack import PrivateStack

# The first test waits until the stack has started.
pytestmark = [pytest.mark.engines, pytest.mark.batch, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def settings(batch_stack: PrivateStack) -> HiveSettings:
    return batch_stack.hive("reports")


@pytest.mark.parametrize("table", REPORT_DAYS)
def test_every_report_can_be_read(settings: HiveSettings, table: str) -> None:
    found = HiveReports.of(settings).rows(ReportQuery(table))
    assert REPORT_DAYS[table] in found.columns
    assert "labels_known_until" in found.columns


def test_the_first_day_of_a_table_can_be_queried(batch_stack: PrivateStack) -> None:
    with sql_session(batch_stack.hive("admin")) as sql:
        sql.run("CREATE TABLE fraudwatch.asked_days (day DATE, number INT) USING delta")
        sql.run("INSERT INTO fraudwatch.asked_days VALUES (DATE'2026-03-01', 1)")
        sql.run("INSERT INTO fraudwatch.asked_days VALUES (DATE'2026-03-02', 2)")
        found = sql.rows("SELECT min(day), max(day), count(*) FROM fraudwatch.asked_days")
        sql.run("DROP TABLE fraudwatch.asked_days")
    assert [str(one) for one in found[0]] == ["2026-03-01", "2026-03-02", "2"]


def test_a_wrong_password_and_an_unreachable_server_are_distinguished(
    settings: HiveSettings,
) -> None:
    wrong = settings.model_copy(update={"password": SecretStr("not-the-password")})
    with pytest.raises(MartsUnavailable, match="refused the login"):
        HiveReports.of(wrong).rows(ReportQuery("out_money"))
    away = settings.model_copy(update={"port": 1})
    with pytest.raises(MartsUnavailable, match="does not answer"):
        HiveReports.of(away).rows(ReportQuery("out_money"))
