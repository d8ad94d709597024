"""Process a closed day with Airflow's own scheduler: from the shop's extract to a mart by SQL."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from fraudwatch.stack.private_stack import PrivateStack
from tests.e2e.airflow_runs import mails_about, run_automatically, unpaused

pytestmark = [pytest.mark.engines, pytest.mark.batch, pytest.mark.timeout(1_500)]


def report(batch_stack: PrivateStack, table: str) -> list[dict[str, Any]]:
    document = batch_stack.command("reports", "show", table, "--json").stdout
    rows: list[dict[str, Any]] = json.loads(document)["rows"]
    return rows


def test_a_closed_day_becomes_a_report(batch_stack: PrivateStack) -> None:
    run_automatically(batch_stack, "ingest_transactions", "build_reports")
    days = report(batch_stack, "out_fraud_by_day")
    assert days
    with batch_stack.http("shop", "SHOP_API_KEY") as shop:
        for row in days:
            page = shop.get(f"/v1/extract/{row['event_on']}", params={"page_size": 1}).json()
            assert row["purchases"] == page["total_purchases"]


def test_a_failed_run_is_reported_by_the_command_and_by_one_mail(
    batch_stack: PrivateStack,
) -> None:
    today = json.dumps({"day": datetime.now(UTC).date().isoformat()})
    with unpaused(batch_stack, "build_reports"):
        run = batch_stack.command(
            "dags", "trigger", "build_reports", "--conf", today, "--wait", "--json", check=False
        )
    assert run.returncode == 1
    ended = json.loads(run.stdout)
    assert ended["state"] == "failed"
    assert "is not over yet" in run.stderr + run.stdout
    assert len(mails_about(batch_stack, ended["run_id"])) == 1


def test_old_logs_and_metadata_of_airflow_are_deleted(batch_stack: PrivateStack) -> None:
    airflow = batch_stack.folder / "airflow"
    old_log = airflow / "logs/dag_id=gone/run_id=1/task_id=t/attempt=1.log"
    old_log.parent.mkdir(parents=True)
    old_log.write_text("x")
    ten_days_ago = time.time() - 10 * 86_400
    os.utime(old_log, (ten_days_ago, ten_days_ago))
    database = airflow / "airflow.db"
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        old = ("2026-01-01 00:00:00.000000", "old")
        connection.execute("INSERT INTO log (dttm, event) VALUES (?, ?)", old)
    with unpaused(batch_stack, "clean_up"):
        run = batch_stack.command(
            "dags", "trigger", "clean_up", "--conf", '{"keep_days": "5"}', "--wait", "--json"
        )
    assert json.loads(run.stdout)["state"] == "success"
    assert not old_log.exists()
    with closing(sqlite3.connect(database, timeout=60)) as connection:
        events = {row[0] for row in connection.execute("SELECT event FROM log")}
    assert events
    assert "old" not in events
