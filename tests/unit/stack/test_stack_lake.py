"""The lake's engines: prepared settings, linked jars, folders, probes and migrations."""

from __future__ import annotations

import hashlib
import http.server
import json
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fraudwatch.adapters.lake.hive_sql import StatementRefused
from fraudwatch.lake import CHECKPOINT_FOLDER, EXTRACT_FOLDER, WAREHOUSE_FOLDER
from fraudwatch.stack import (
    catalogue,
    env_file,
    lake_setup,
    prepare_lake,
    probes,
    scala_jars,
    wheel_jars,
)
from fraudwatch.stack.hdfs_setup import folders
from fraudwatch.stack.home import ROOT, Home, StackError
from fraudwatch.stack.launches import all_launches, lists_for
from fraudwatch.stack.migrations import Migration


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(root=ROOT, runtime=tmp_path / ".runtime", folder=tmp_path / "my <home> & co")


@pytest.fixture
def settings(home: Home) -> dict[str, str]:
    return env_file.ensure(home) | {"FRAUDWATCH_PORT_OFFSET": "100"}


def _prepare(home: Home, settings: dict[str, str], name: str) -> None:
    launch = all_launches(home, catalogue.load(), settings, home.runtime)[name]
    prepared = {
        "datanode": prepare_lake.configure_hdfs,
        "metastore": prepare_lake.configure_metastore,
        "thrift_server": prepare_lake.configure_thrift_server,
    }
    prepared[name](home, launch, settings)


def _site(path: Path) -> dict[str, str]:
    return {
        str(one.findtext("name")): str(one.findtext("value"))
        for one in ET.fromstring(path.read_text()).iter("property")  # noqa: S314  our own file
    }


def test_a_custom_java_option_goes_to_every_java_process(
    home: Home, settings: dict[str, str]
) -> None:
    def passed(options: str) -> list[str | None]:
        chosen = settings | {"JAVA_OPTIONS": options}
        launches = all_launches(home, catalogue.load(), chosen, home.runtime)
        # The scheduler starts Spark's jobs.
        names = ("kafka", "cassandra", "detector", "thrift_server", "airflow_scheduler")
        return [launches[name].environment.get("JDK_JAVA_OPTIONS") for name in names]

    assert passed("-XX:TieredStopAtLevel=1") == ["-XX:TieredStopAtLevel=1"] * 5
    assert passed("-Xlog:gc*,safepoint,-Xss1m") == ["-Xlog:gc*,safepoint -Xss1m"] * 5
    assert passed(settings["JAVA_OPTIONS"]) == [None] * 5


def test_every_engine_listens_on_loopback_only(home: Home, settings: dict[str, str]) -> None:
    for name in ("datanode", "metastore", "thrift_server"):
        _prepare(home, settings, name)
    hdfs = _site(home.folder / "hdfs/conf/hdfs-site.xml")
    addresses = [value for key, value in hdfs.items() if key.endswith("address")]
    assert len(addresses) == 5
    assert all(value.startswith("127.0.0.1:") for value in addresses)
    assert hdfs["dfs.namenode.rpc-address"] == "127.0.0.1:8120"
    assert hdfs["dfs.namenode.name.dir"] == (home.folder / "hdfs/name").as_uri()
    thrift = _site(home.folder / "hive/thrift_server/conf/hive-site.xml")
    assert thrift["hive.server2.thrift.bind.host"] == "127.0.0.1"
    assert thrift["hive.server2.authentication"] == "CUSTOM"
    assert thrift["hive.metastore.uris"] == "thrift://127.0.0.1:9183"


def test_the_password_file_is_private_and_holds_no_password(
    home: Home, settings: dict[str, str]
) -> None:
    _prepare(home, settings, "thrift_server")
    path = home.folder / "hive/thrift_server/passwords"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = dict(line.split(":", 1) for line in path.read_text().splitlines())
    assert lines.keys() == {"admin", "reports"}
    rounds, salt, found = lines["reports"].split(":")
    password = settings["HIVE_REPORTS_PASSWORD"]
    wanted = hashlib.pbkdf2_hmac("sha256", password.encode(), bytes.fromhex(salt), int(rounds))
    assert found == wanted.hex()
    assert password not in path.read_text()


def test_every_login_has_its_lines_in_the_file_of_rights() -> None:
    lines = [
        line.split()
        for line in (ROOT / "hive/rights.conf").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert {login for login, _ in lines} == prepare_lake.LOGINS.keys()
    assert [login for login, right in lines if right == "everything"] == ["admin"]
    assert all(right.startswith("fraudwatch.") for login, right in lines if login != "admin")


def test_the_thrift_server_checks_statements_after_delta(
    home: Home, settings: dict[str, str]
) -> None:
    _prepare(home, settings, "thrift_server")
    folder = home.folder / "hive/thrift_server"
    [extensions] = [
        line.split()[1]
        for line in (folder / "spark.conf").read_text().splitlines()
        if line.startswith("spark.sql.extensions ")
    ]
    assert extensions.split(",")[-1] == "fraudwatch.hive.ConfinedSql"
    site = _site(folder / "conf/hive-site.xml")
    assert site["hive.metastore.filter.hook"] == "fraudwatch.hive.ListedTables"
    assert site["hive.server2.allow.user.substitution"] == "false"
    launch = all_launches(home, catalogue.load(), settings, home.runtime)["thrift_server"]
    assert f"-Dfraudwatch.hive.rights_file={ROOT}/hive/rights.conf" in launch.argv
    assert any(word.endswith(".ConfinedThriftServer") for word in launch.argv)


def test_a_jar_of_several_sources_is_compiled_again_when_one_changes(tmp_path: Path) -> None:
    home = Home(root=tmp_path, runtime=tmp_path / ".runtime", folder=tmp_path / "var")
    jar = scala_jars.SCALA_JARS["confined_thrift_server"]
    for name in (f"{jar.source}/B.scala", f"{jar.source}/A.scala", "requirements/lake.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("object X")
    assert [path.name for path in jar.files(tmp_path)] == ["A.scala", "B.scala"]
    target = scala_jars.path_of(home, jar)
    target.parent.mkdir(parents=True)
    target.touch()
    content = hashlib.sha256(b"object X" * 3).hexdigest()
    target.with_suffix(".stamp").write_text(content)
    assert scala_jars.is_current(home, jar)
    (tmp_path / jar.source / "B.scala").write_text("object Y")
    assert not scala_jars.is_current(home, jar)


def test_derby_creates_its_tables_and_an_unknown_database_is_refused(
    home: Home, settings: dict[str, str]
) -> None:
    _prepare(home, settings, "metastore")
    path = home.folder / "hive/metastore/conf/hive-site.xml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert _site(path)["datanucleus.schema.autoCreateAll"] == "true"
    assert str(home.folder) in _site(path)["javax.jdo.option.ConnectionURL"]
    with pytest.raises(StackError, match="HIVE_METASTORE_URL"):
        _prepare(home, settings | {"HIVE_METASTORE_URL": "jdbc:mysql://x/y"}, "metastore")


def test_class_paths_need_their_jar_lists() -> None:
    assert lists_for(frozenset({"jamm", "delta_class_path", "spark"})) == {"cassandra", "delta"}


WHEEL = (
    "hadoop-client-api-3.5.0",
    "hadoop-client-runtime-3.5.0",
    "jcl-over-slf4j-2",
    "slf4j-api-2",
    "log4j-slf4j2-impl-2",
    "log4j-api-2",
    "log4j-core-2",
    "log4j-1.2-api-2",
    "spark-core_2.13-4.2.0",
)


def test_jars_that_hdfs_needs_are_linked_from_the_wheel_by_name(home: Home) -> None:
    with pytest.raises(StackError, match="has no pyspark"):
        wheel_jars.ensure(home)
    jars = home.environments / "lake/lib/python3.11/site-packages/pyspark/jars"
    jars.mkdir(parents=True)
    for name in WHEEL:
        (jars / f"{name}.jar").touch()
    wheel_jars.ensure(home)
    wheel_jars.ensure(home)
    found = {path.name for path in wheel_jars.hdfs_folder(home).iterdir() if path.exists()}
    assert found == {f"{name}.jar" for name in WHEEL[:-1]}
    assert (wheel_jars.spark_folder(home) / "spark-core_2.13-4.2.0.jar").exists()
    (jars / "slf4j-api-2.jar").rename(jars / "slf4j-api-3.jar")
    wheel_jars.ensure(home)
    assert {path.name for path in wheel_jars.hdfs_folder(home).iterdir()} == {
        path.name for path in jars.iterdir()
    } - {"spark-core_2.13-4.2.0.jar"}
    (jars / "slf4j-api-3.jar").unlink()
    with pytest.raises(StackError, match=r"has 0 files like slf4j-api-\*\.jar"):
        wheel_jars.ensure(home)


def test_every_folder_of_the_lake_follows_its_parent() -> None:
    found = folders()
    assert {EXTRACT_FOLDER, CHECKPOINT_FOLDER, WAREHOUSE_FOLDER} < set(found)
    assert found[0] == "/fraudwatch"
    assert all(Path(one).parent.as_posix() in {"/", *found[:i]} for i, one in enumerate(found))


class _Jmx(http.server.BaseHTTPRequestHandler):
    state: dict[str, object]

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"beans": [self.state]}).encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def jmx() -> Iterator[int]:
    with http.server.HTTPServer(("127.0.0.1", 0), _Jmx) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize(
    ("state", "serves"),
    [
        ({"FSState": "Operational", "NumLiveDataNodes": 1}, True),
        ({"FSState": "safeMode", "NumLiveDataNodes": 1}, False),
        ({"FSState": "Operational", "NumLiveDataNodes": 0}, False),
        ({}, False),
    ],
)
def test_a_namenode_is_ready_outside_safe_mode_with_a_datanode(
    jmx: int, state: dict[str, object], *, serves: bool
) -> None:
    _Jmx.state = state
    assert probes.namenode_serves(jmx) is serves


def test_probes_fail_on_a_closed_port() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert not probes.tcp_answers(f"tcp://127.0.0.1:{port}")
        listener.listen()
        assert probes.tcp_answers(f"tcp://127.0.0.1:{port}")
    assert not probes.namenode_serves(port)


class _Tables:
    """A fake lake that records statements, and refuses those with REFUSE."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.ledger: list[tuple[object, ...]] = []

    def run(self, statement: str, parameters: tuple[object, ...] | None = None) -> None:
        if "REFUSE" in statement:
            raise StatementRefused("no such thing")
        if "ADD COLUMNS" in statement and statement in self.statements:
            raise StatementRefused("[FIELD_ALREADY_EXISTS] Cannot add column")
        self.statements.append(statement)
        if parameters:
            self.ledger.append(parameters)

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        if statement.startswith("SHOW"):
            return [("there",)] if self.ledger else []
        return [(number, sha256) for number, _, sha256 in self.ledger]


def test_migrations_are_applied_once_recorded_and_previewed() -> None:
    tables = _Tables()
    migrations = [Migration(1, "a", "aa", ("CREATE A",)), Migration(2, "b", "bb", ("CREATE B",))]
    assert "-- 2 of 2 migrations to apply" in lake_setup.preview(tables, migrations)  # type: ignore[arg-type]
    assert tables.statements == []
    assert "2 migrations (2 applied now)" in lake_setup.set_up(tables, migrations)  # type: ignore[arg-type]
    assert tables.ledger == [(1, "a", "aa"), (2, "b", "bb")]
    assert "(0 applied now)" in lake_setup.set_up(tables, migrations)  # type: ignore[arg-type]


def test_a_refused_migration_is_named_and_not_recorded() -> None:
    tables = _Tables()
    migrations = [Migration(1, "a", "aa", ("CREATE A", "REFUSE"))]
    with pytest.raises(lake_setup.LakeSetupFailed, match=r"0001_a\.sql was rejected"):
        lake_setup.set_up(tables, migrations)  # type: ignore[arg-type]
    assert tables.ledger == []


def test_a_setup_that_was_killed_after_adding_columns_runs_again() -> None:
    session = _Tables()
    added = "ALTER TABLE fraudwatch.core_verdicts ADD COLUMNS (a INT)"
    session.statements.append(added)
    migration = Migration(6, "more", "0" * 64, (added,))
    lake_setup.set_up(session, [migration])  # type: ignore[arg-type]
    assert [row[0] for row in session.ledger] == [6]
