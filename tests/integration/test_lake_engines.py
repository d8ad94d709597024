# ruff: noqa: S608  the statements are literals around one table name
"""HDFS, the metastore and the Thrift Server, as the stack starts them."""

from __future__ import annotations

import io
import os
import signal
import subprocess

import pytest
from hdfs import HdfsError
from pydantic import SecretStr

from fraudwatch.adapters.lake.hive_sql import (
    HiveLoginRefused,
    StatementRefused,
    ThriftServerUnavailable,
    sql_session,
)
from fraudwatch.lake import CORE_LABELS, DATABASE, EXTRACT_FOLDER
from fraudwatch.stack.hdfs_setup import client, folders
from fraudwatch.stack.home import ROOT
from fraudwatch.stack.private_stack import PrivateStack
from tests.waiting import eventually

# The first test waits until the stack has started.
pytestmark = [pytest.mark.engines, pytest.mark.batch, pytest.mark.timeout(900)]
LABELS = f"{DATABASE}.{CORE_LABELS}"


def test_rows_are_inserted_and_deleted_by_sql(batch_stack: PrivateStack) -> None:
    with sql_session(batch_stack.hive("admin")) as session:
        session.run(
            f"INSERT INTO {LABELS} VALUES "
            "('t1', 'fraud', 'analyst', 'rows', 1, DATE'2026-11-20', NULL), "
            "('t2', 'genuine', 'analyst', 'rows', 1, DATE'2026-11-20', NULL)"
        )
        session.run(f"DELETE FROM {LABELS} WHERE transaction_id = %s", ("t1",))
        assert session.rows(f"SELECT transaction_id, verdict FROM {LABELS} WHERE by = 'rows'") == [
            ("t2", "genuine")
        ]
        with pytest.raises(StatementRefused, match="nowhere"):
            session.run("SELECT * FROM nowhere")
        session.run(f"DELETE FROM {LABELS} WHERE by = 'rows'")


def test_a_query_timeout_is_reported_and_a_new_login_works(batch_stack: PrivateStack) -> None:
    """Regression: the late answer was read as the answer to the logout."""
    settings = batch_stack.hive("admin")
    with sql_session(settings, timeout_seconds=20) as session:
        session.rows("SELECT 1")  # so that the next login is quick
    with (
        pytest.raises(ThriftServerUnavailable, match="timeout"),
        sql_session(settings, timeout_seconds=5) as session,
    ):
        session.rows("SELECT reflect('java.lang.Thread', 'sleep', 15000L)")
    with sql_session(settings) as session:
        assert session.rows("SELECT 2") == [(2,)]


@pytest.mark.parametrize(
    ("login", "password"),
    [("reports", "not-the-password-0123"), ("unknown", "not-the-password-0123"), ("admin", "")],
)
def test_a_login_without_the_right_password_is_refused(
    batch_stack: PrivateStack, login: str, password: str
) -> None:
    wrong = {"username": login, "password": SecretStr(password)}
    with (
        pytest.raises(HiveLoginRefused),
        sql_session(batch_stack.hive("admin").model_copy(update=wrong), timeout_seconds=20),
    ):
        pass


def test_applied_migrations_are_not_applied_again(batch_stack: PrivateStack) -> None:
    settings = batch_stack.hive("admin")
    done = subprocess.run(
        [
            batch_stack.home.environments / "control/bin/python",
            "-m",
            "fraudwatch.stack.lake_setup",
        ],
        cwd=ROOT,
        env=os.environ
        | {
            "HIVE_PORT": str(settings.port),
            "HIVE_USERNAME": settings.username,
            "HIVE_PASSWORD": settings.password.get_secret_value(),
        },
        check=True,
        capture_output=True,
        text=True,
    )
    assert "(0 applied now)" in done.stdout
    with sql_session(settings) as session:
        ledger = session.rows(f"SELECT number, name FROM {DATABASE}.schema_migration")
    assert (1, "raw_and_core") in ledger
    assert len(set(ledger)) == len(ledger)


def test_another_user_cannot_read_list_or_write(batch_stack: PrivateStack) -> None:
    ours, other = (client(batch_stack.webhdfs_url, user) for user in ("fraudwatch", "mallory"))
    path = f"{EXTRACT_FOLDER}/kept.txt"
    ours.write(path, data=io.BytesIO(b"ours"), overwrite=True)
    with ours.read(path) as file:
        assert file.read() == b"ours"
    for folder in folders():
        status = ours.status(folder)
        assert (status["owner"], status["permission"]) == ("fraudwatch", "750")
    for attempt in (
        lambda: other.list(EXTRACT_FOLDER),
        lambda: other.read(path).__enter__(),
        lambda: other.write(f"{EXTRACT_FOLDER}/theirs.txt", data=b"?"),
    ):
        with pytest.raises(HdfsError, match="Permission denied"):
            attempt()


def test_a_killed_namenode_and_metastore_restart_without_data_loss(
    batch_stack: PrivateStack,
) -> None:
    with sql_session(batch_stack.hive("admin")) as session:
        session.run(
            f"INSERT INTO {LABELS} VALUES ('t9', 'fraud', 'a', 'a', 1, DATE'2026-11-19', NULL)"
        )
    killed = ("namenode", "metastore")
    before = {name: batch_stack.pid(name) for name in killed}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)

    def all_ready_again() -> bool:
        now = batch_stack.states()
        return all(one.ready for one in now.values()) and all(
            now[name].pid != before[name] for name in killed
        )

    eventually(all_ready_again, within_seconds=90, what="the lake after two kills", every_seconds=1)
    with sql_session(batch_stack.hive("admin")) as session:
        found = session.rows(f"SELECT transaction_id FROM {LABELS} WHERE known_on = '2026-11-19'")
        session.run(f"DELETE FROM {LABELS} WHERE transaction_id = 't9'")
    assert found == [("t9",)]
