"""Shared fixtures: private stacks with their own home, secrets and ports, and one Spark."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from fraudwatch.lake import DATABASE
from fraudwatch.settings import CassandraSettings, LakeSettings
from fraudwatch.stack import jars, java, scala_jars
from fraudwatch.stack.home import ROOT, Home
from fraudwatch.stack.migrations import read_migrations
from fraudwatch.stack.private_stack import PrivateStack, running
from tests.waiting import eventually

if TYPE_CHECKING:
    from cassandra.cluster import Session
    from pyspark.sql import SparkSession

# Java processes that end after minutes gain nothing from the optimising compiler: in a Spark
# session it took 88 of 231 seconds of processor time (measured).
# The remaining compiler has 48 MB for its code by default. Spark fills them, and then the JVM
# evicts code and compiles it again: 88,000 compilations for 22,000 methods, and a sixth of its time
# goes into evicting.
SHORT_LIVED = "-XX:TieredStopAtLevel=1,-XX:ReservedCodeCacheSize=240m"
# Each query is new, on a handful of rows: compiling it costs more than interpreting it. Generating
# and compiling projections alone, again in each task, took half of the tasks' time (measured).
COMPILES_LITTLE = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}

# A small shop: two days of a few customers, and a few live purchases a second.
WORLD = {
    "SHOP_CUSTOMERS": "150",
    "SHOP_HISTORY_DAYS": "2",
    "SHOP_HISTORY_PURCHASES": "3000",
    "SHOP_LIVE_PURCHASES_PER_SECOND": "3.0",
    # Roles of Superset for two sources.
    "SUPERSET_SOURCES": "shop,bank",
    # Jobs run when a test triggers them, not beside tests that measure time.
    "AIRFLOW_DAGS_PAUSED": "True",
    "JAVA_OPTIONS": SHORT_LIVED,
    # The tests of an hour make more CRITICAL alerts than staff could read.
    "NOTIFIER_CRITICAL_PER_HOUR": "1000",
    # The programs that get webhooks are in the tests.
    "WEBHOOKS_ALLOW_LOOPBACK": "true",
    # Alerts that wait a minute before they fire wait a second.
    "ALERT_DURATION_RATIO": "0.02",
}


# One JVM for all Spark tests: two on two cores both warm up and compete.
_SPARK_TESTS = ("tests/lake/", "tests/integration/test_archive.py")


class OneSpark(LoadFileScheduling):
    """Schedules a file to a worker, and all files that need Spark to the same worker."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return "spark" if file.startswith(_SPARK_TESTS) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneSpark:
    """Schedule tests with xdist so that only one worker starts Spark."""
    return OneSpark(config, log)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateStack]:
    with running(tmp_path_factory.mktemp("home"), WORLD, "speed") as started:
        yield started


@pytest.fixture(scope="session")
def batch_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateStack]:
    with running(tmp_path_factory.mktemp("batch_home"), WORLD, "batch") as started:
        yield started


@pytest.fixture(scope="session")
def kafka_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateStack]:
    """Kafka alone, with the topics and rights of the contracts."""
    with running(tmp_path_factory.mktemp("kafka_home"), WORLD, "kafka") as started:
        yield started


@pytest.fixture(scope="session")
def cassandra_settings(stack: PrivateStack) -> CassandraSettings:
    return stack.cassandra("persister")


@pytest.fixture(scope="session")
def session_of(stack: PrivateStack) -> Iterator[Callable[[str], Session]]:
    """Cassandra sessions by role, each opened once for the whole run: a login hashes its password.

    A session survives a Cassandra that another test killed, and reconnects a second later.
    """
    from cassandra.cluster import NoHostAvailable

    from fraudwatch.adapters.store.session import close, connect

    opened: dict[str, Session] = {}

    def answers(session: Session) -> bool:
        try:
            return bool(session.execute("SELECT key FROM system.local").one())
        except NoHostAvailable:
            return False

    def of(role: str) -> Session:
        session = opened.get(role) or opened.setdefault(role, connect(stack.cassandra(role)))
        eventually(lambda: answers(session), within_seconds=10, what=f"the session of {role}")
        return session

    yield of
    for session in opened.values():
        close(session)


@pytest.fixture
def refused_to_the_console(session_of: Callable[[str], Session]) -> Callable[[str], None]:
    """Expects Cassandra to refuse a statement to the console's role."""
    from cassandra import Unauthorized

    def expect(statement: str) -> None:
        with pytest.raises(Unauthorized):
            session_of("console").execute(statement)

    return expect


@pytest.fixture(scope="session")
def lake_settings(tmp_path_factory: pytest.TempPathFactory) -> LakeSettings:
    home = Home.from_environment()
    folders = [jars.folder_of(home, name) for name in ("delta", "spark_kafka")]
    found = [str(path) for folder in folders for path in sorted(folder.glob("*.jar"))]
    return LakeSettings(
        file_system=tmp_path_factory.mktemp("lake").as_uri(),
        jars=",".join(found),
        master="local[2]",
    )


def detector_classes() -> Path:
    """Compile the detector's classes for the JVM, unless that is done."""
    home = Home.from_environment()
    jar = scala_jars.SCALA_JARS["detector_classes"]
    return scala_jars.ensure(home, jar, java.ensure(home, print), print)


@pytest.fixture(scope="session")
def spark(lake_settings: LakeSettings) -> Iterator[SparkSession]:
    """One real Spark over Delta tables in a folder; each test uses its own days and ids."""
    from fraudwatch.adapters.lake.session import open_lake

    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_DIST_CLASSPATH"] = str(detector_classes())
    os.environ["JDK_JAVA_OPTIONS"] = f"{SHORT_LIVED.replace(',', ' ')} -XX:+UseSerialGC"
    session = open_lake(lake_settings, "tests")
    for name, value in COMPILES_LITTLE.items():
        session.conf.set(name, value)
    for migration in read_migrations(ROOT / "hive/migrations"):
        for statement in migration.statements:
            session.sql(statement)
    session.sql(f"USE {DATABASE}")
    yield session
    session.stop()
