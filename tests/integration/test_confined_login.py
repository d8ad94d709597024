"""The login reports of the real Thrift Server: reads its tables, and nothing by any other way."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import thrift_sasl
from pyhive import hive
from pyhive.exc import OperationalError
from TCLIService import ttypes
from thrift.transport.TSocket import TSocket

from fraudwatch.adapters.lake.hive_sql import SqlSession, StatementRefused, sql_session
from fraudwatch.lake import CORE_LABELS, DATABASE, REPORT_DAYS
from fraudwatch.settings import HiveSettings
from fraudwatch.stack import wheel_jars
from fraudwatch.stack.home import ROOT
from fraudwatch.stack.private_stack import PrivateStack
from tests.integration.confined_login_statements import REFUSED

# The first test waits until the stack has started.
pytestmark = [pytest.mark.engines, pytest.mark.batch, pytest.mark.timeout(900)]

RUN_ID = "confined-login-test"
LISTED = {
    tuple(line.split()[1].split("."))
    for line in (ROOT / "hive/rights.conf").read_text().splitlines()
    if line.startswith("reports")
}
NOT_PERMITTED = r"INSUFFICIENT_PRIVILEGE.*The login reports may not .* use one of them"
SHORT = 8  # characters: brackets of JSON are in messages as well
# What Spark itself does not know as SQL.
NO_SQL = "PARSE_SYNTAX_ERROR|INVALID_STATEMENT_OR_CLAUSE"


@dataclass(frozen=True)
class Server:
    """The server with both logins, a secret file, and a folder that must stay empty."""

    stack: PrivateStack
    settings: HiveSettings
    admin: SqlSession
    reports: SqlSession
    secret: Path
    target: Path


@pytest.fixture(scope="module")
def server(batch_stack: PrivateStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = batch_stack.hive("reports")
    secret = batch_stack.folder / "keys/master.json"
    with sql_session(batch_stack.hive("admin")) as admin, sql_session(settings) as reports:
        admin.run(
            f"INSERT INTO {DATABASE}.core_drift (what, name, value, run_id, event_on) "  # noqa: S608
            f"VALUES ('feature', 'spend', 0.25, '{RUN_ID}', DATE'2026-03-01')"
        )
        reports.run(f"USE {DATABASE}")
        yield Server(
            batch_stack, settings, admin, reports, secret, tmp_path_factory.mktemp("target")
        )
        admin.run(f"DELETE FROM {DATABASE}.core_drift WHERE run_id = '{RUN_ID}'")  # noqa: S608


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        "SHOW DATABASES",
        "SHOW SCHEMAS",
        "SHOW CURRENT NAMESPACE",
        "USE fraudwatch",
        "USE `fraudwatch`",
        "SHOW TABLES",
        "SHOW TABLES IN `fraudwatch`",
        "SHOW VIEWS IN fraudwatch",
        "SHOW COLUMNS IN out_money",
        "DESCRIBE out_money",
        "DESCRIBE `fraudwatch`.`report_drift`",
        "DESCRIBE FORMATTED out_money",
        "DESCRIBE out_money event_on",
        "TABLE out_money",
        "SELECT count(*) FROM spark_catalog.fraudwatch.out_money",
        "SELECT current_user(), current_database(), version()",
        # As Superset and Tableau write them.
        (
            "SELECT date_trunc('WEEK', CAST(event_on AS TIMESTAMP)) AS __time, sum(value) AS s "
            "FROM (SELECT * FROM fraudwatch.report_drift) AS virtual_table WHERE event_on >= "
            "CAST('2026-01-01' AS DATE) GROUP BY date_trunc('WEEK', CAST(event_on AS TIMESTAMP)) "
            "HAVING sum(value) > 0 ORDER BY s DESC LIMIT 10"
        ),
        (
            "WITH a AS (SELECT * FROM out_money), b AS (SELECT * FROM a) "
            "SELECT *, row_number() OVER w FROM b WINDOW w AS (ORDER BY event_on)"
        ),
        (
            "SELECT name FROM report_drift WHERE name IN (SELECT name FROM report_drift) "
            "UNION ALL SELECT (SELECT max(name) FROM report_drift)"
        ),
        (
            "SELECT d.name, x FROM report_drift d LEFT JOIN out_money m ON d.event_on = m.event_on "
            "LATERAL VIEW explode(array(1, 2)) t AS x"
        ),
        "SELECT transform(array(1), x -> x + 1), get_json_object('{\"a\": 1}', '$.a')",
    ],
)
def test_what_sql_tools_send_is_permitted(server: Server, statement: str) -> None:
    server.reports.rows(statement)


@pytest.mark.parametrize("table", sorted(table for _, table in LISTED))
def test_every_listed_table_exists_and_can_be_read(server: Server, table: str) -> None:
    server.reports.rows(f"SELECT * FROM {DATABASE}.{table} LIMIT 1")  # noqa: S608


def test_a_view_is_read_though_its_table_is_not(server: Server) -> None:
    condition = f"WHERE run_id = '{RUN_ID}'"
    assert server.reports.rows(f"SELECT name, value FROM report_drift {condition}") == [  # noqa: S608
        ("spend", 0.25)
    ]
    for name in ("core_drift", "fraudwatch.core_drift", "FRAUDWATCH.CORE_DRIFT"):
        with pytest.raises(StatementRefused, match=NOT_PERMITTED):
            server.reports.rows(f"SELECT name FROM {name} {condition}")  # noqa: S608


@pytest.mark.parametrize("statement", REFUSED)
def test_every_other_way_is_refused(server: Server, statement: str) -> None:
    text = statement.format(
        secret=server.secret.as_uri(),
        secret_path=server.secret,
        target=server.target.as_uri(),
        target_path=server.target,
    )
    with pytest.raises(StatementRefused, match=f"{NOT_PERMITTED}|{NO_SQL}") as refused:
        server.reports.rows(text)
    secrets = [line.strip() for line in _lines(server.secret) if len(line) > SHORT]
    assert secrets
    assert not any(secret in str(refused.value) for secret in secrets)
    assert list(server.target.iterdir()) == []


def test_nothing_was_changed_by_what_was_refused(server: Server) -> None:
    """Run after the statements above, in the same session."""
    found = server.admin.rows(f"SHOW TABLES IN {DATABASE}")
    assert {(row[0], row[1]) for row in found} >= LISTED
    assert not {row[1] for row in found}.intersection({"made", "report_made"})
    assert {row[0] for row in server.admin.rows("SHOW DATABASES")} == {"default", DATABASE}
    zone = "SELECT current_timezone()"
    assert server.reports.rows(zone) == server.admin.rows(zone) == [("UTC",)]
    columns = [row[0] for row in server.reports.rows("DESCRIBE report_labels")]
    assert columns == ["transaction_id", "known_on", "known_at", "verdict", "source"]


def test_secrets_of_the_server_are_there_for_admin_alone(server: Server) -> None:
    """Show that the statements above are refused by the check, not for want of a file."""
    statement = f"SELECT count(*) FROM text.`{server.secret.as_uri()}`"  # noqa: S608
    assert server.admin.rows(statement) == [(len(_lines(server.secret)),)]
    assert server.admin.rows("SELECT '${system:user.dir}'") != [("${system:user.dir}",)]


@pytest.mark.parametrize(
    "configuration",
    [
        {"set:system:fraudwatch.hive.password_file": "/tmp/mine"},  # noqa: S108
        {"set:system:fraudwatch.hive.rights_file": "/tmp/mine"},  # noqa: S108
        {"set:hivevar:spark.sql.catalog.fraudwatch": "evil.Catalog"},
        {"set:hiveconf:spark.sql.session.timeZone": "CET"},
        {"set:metaconf:hive.metastore.try.direct.sql": "false"},
        {"spark.sql.session.timeZone": "CET"},
        {"hive.server2.proxy.user": "admin"},
        {"use:database": "text.`/etc/passwd`"},
        {"use:catalog": "x"},
    ],
)
def test_settings_are_refused_when_a_session_is_opened(
    server: Server, configuration: dict[str, str]
) -> None:
    with pytest.raises(OperationalError, match=r"The login reports may not send the setting"):
        _connect(server.settings, configuration=configuration)


def test_a_database_may_be_chosen_when_a_session_is_opened(server: Server) -> None:
    with _connect(server.settings, database=DATABASE) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT current_user(), current_database() FROM report_drift LIMIT 1")
        assert cursor.fetchall() == [("reports", DATABASE)]


def test_statements_that_run_in_the_background_are_checked_as_well(server: Server) -> None:
    """As Superset runs them; the server's threads serve both logins in turn."""
    forbidden = f"SELECT count(*) FROM {DATABASE}.{CORE_LABELS}"  # noqa: S608
    for _ in range(3):
        server.admin.rows(forbidden)
        with _connect(server.settings) as connection:
            cursor = connection.cursor()
            cursor.execute(forbidden, async_=True)
            assert "INSUFFICIENT_PRIVILEGE" in _end_of(cursor).errorMessage
            cursor = connection.cursor()
            cursor.execute("SELECT current_user() FROM fraudwatch.report_drift", async_=True)
            assert _end_of(cursor).operationState == ttypes.TOperationState.FINISHED_STATE
            assert set(cursor.fetchall()) == {("reports",)}


def test_settings_of_one_statement_have_no_effect(server: Server) -> None:
    with _connect(server.settings) as connection:
        request = ttypes.TExecuteStatementReq(
            sessionHandle=connection.sessionHandle,
            statement="SELECT current_timezone()",
            confOverlay={"spark.sql.session.timeZone": "CET"},
        )
        found = _fetched(connection, connection.client.ExecuteStatement(request))
    assert found == [("UTC",)]


def test_the_login_is_the_one_with_the_password(server: Server) -> None:
    """Authenticate as reports and ask for admin, in the handshake and in the session."""
    password = server.settings.password.get_secret_value()

    handshake = SimpleNamespace(
        mechanism="PLAIN",
        init=lambda: True,
        setAttr=lambda *_: True,
        start=lambda _: (True, "PLAIN", f"admin\0reports\0{password}".encode()),
        step=lambda _: (True, b""),
        encode=lambda content: (True, content),
        decode=lambda content: (True, content),
        getError=lambda: "",
    )
    socket = TSocket(server.settings.host, server.settings.port)
    transport = thrift_sasl.TSaslClientTransport(lambda: handshake, "PLAIN", socket)
    with hive.connect(thrift_transport=transport, username="admin") as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT current_user()")
        assert cursor.fetchall() == [("reports",)]
        with pytest.raises(OperationalError, match="INSUFFICIENT_PRIVILEGE"):
            cursor.execute(f"SELECT * FROM {DATABASE}.{CORE_LABELS}")  # noqa: S608


def test_lists_of_tables_leave_out_what_may_not_be_read(server: Server) -> None:
    assert {(row[0], row[1]) for row in server.reports.rows("SHOW TABLES")} == LISTED
    pattern = {"schemaName": "%", "tableName": "%"}
    with _connect(server.settings) as connection:
        handle = connection.sessionHandle
        call = connection.client
        tables = call.GetTables(ttypes.TGetTablesReq(sessionHandle=handle, **pattern))
        assert {row[1:3] for row in _fetched(connection, tables)} == LISTED
        request = ttypes.TGetColumnsReq(sessionHandle=handle, columnName="%", **pattern)
        columns = _fetched(connection, call.GetColumns(request))
        # Spark names columns of views; those of Delta's tables are not in the metastore.
        assert {row[1:3] for row in columns} == {
            (database, name) for database, name in LISTED if name.startswith("report_")
        }
        assert not [row[3] for row in columns if "token" in row[3] or row[3] == "sealed"]
        schemas = call.GetSchemas(ttypes.TGetSchemasReq(sessionHandle=handle))
        names = {row[0] for row in _fetched(connection, schemas)}
        assert names == {"default", DATABASE, "global_temp"}
        for response in (
            call.GetCatalogs(ttypes.TGetCatalogsReq(sessionHandle=handle)),
            call.GetTableTypes(ttypes.TGetTableTypesReq(sessionHandle=handle)),
            call.GetTypeInfo(ttypes.TGetTypeInfoReq(sessionHandle=handle)),
            call.GetFunctions(ttypes.TGetFunctionsReq(sessionHandle=handle, functionName="sum")),
        ):
            assert response.status.statusCode == ttypes.TStatusCode.SUCCESS_STATUS


def test_every_mart_and_only_views_besides_are_listed() -> None:
    names = {table for _, table in LISTED}
    assert {database for database, _ in LISTED} == {DATABASE}
    assert set(REPORT_DAYS) <= names
    assert all(name.startswith("report_") for name in names - set(REPORT_DAYS))


def test_the_jdbc_line_of_the_documents_works(server: Server, tmp_path: Path) -> None:
    java_home = server.stack.launches["thrift_server"].environment["JAVA_HOME"]
    password = tmp_path / "password"
    password.write_text(server.settings.password.get_secret_value())
    done = subprocess.run(
        [
            f"{java_home}/bin/java",
            "-cp", f"{wheel_jars.spark_folder(server.stack.home)}/*",
            "org.apache.hive.beeline.BeeLine",
            "-u", f"jdbc:hive2://{server.settings.host}:{server.settings.port}/{DATABASE}",
            "-n", "reports", "-w", str(password), "--outputformat=csv2",
            "-e", "SELECT count(*) AS days FROM out_money",
        ],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "days" in done.stdout


def _connect(settings: HiveSettings, **more: Any) -> hive.Connection:
    return hive.connect(
        settings.host,
        settings.port,
        username=settings.username,
        password=settings.password.get_secret_value(),
        auth="CUSTOM",
        **more,
    )


def _fetched(connection: hive.Connection, response: Any) -> list[tuple[Any, ...]]:
    """Fetch the rows of an operation that was started below PyHive's cursor."""
    assert response.status.statusCode == ttypes.TStatusCode.SUCCESS_STATUS, response.status
    fetched = connection.client.FetchResults(
        ttypes.TFetchResultsReq(operationHandle=response.operationHandle, maxRows=10_000)
    )
    columns = [
        next(value for value in vars(column).values() if value is not None).values
        for column in fetched.results.columns
    ]
    return list(zip(*columns, strict=True))


def _end_of(cursor: hive.Cursor) -> Any:
    """Wait for the end of a statement that runs in the background."""
    running = {
        ttypes.TOperationState.INITIALIZED_STATE,
        ttypes.TOperationState.PENDING_STATE,
        ttypes.TOperationState.RUNNING_STATE,
    }
    while (status := cursor.poll()).operationState in running:
        time.sleep(0.1)
    return status


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()
