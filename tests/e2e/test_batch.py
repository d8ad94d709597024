"""A closed day through Airflow's own scheduler: from the shop's books to a report by SQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from fraudwatch.stack.private_stack import PrivateStack
from tests.e2e.airflow_runs import by_itself, mails_about, switched_on

pytestmark = [pytest.mark.engines, pytest.mark.batch, pytest.mark.timeout(1_500)]


def report(batch_stack: PrivateStack, table: str) -> list[dict[str, Any]]:
    told = batch_stack.command("reports", "show", table, "--json").stdout
    rows: list[dict[str, Any]] = json.loads(told)["rows"]
    return rows


def test_a_closed_day_becomes_a_report(batch_stack: PrivateStack) -> None:
    by_itself(batch_stack, "ingest_transactions", "build_reports")
    days = report(batch_stack, "out_fraud_by_day")
    assert days
    with batch_stack.http("shop", "SHOP_API_KEY") as shop:
        for row in days:
            told = shop.get(f"/v1/extract/{row['event_on']}", params={"page_size": 1}).json()
            assert row["purchases"] == told["total_purchases"]


def test_a_run_that_fails_is_told_by_the_command_and_by_one_mail(batch_stack: PrivateStack) -> None:
    today = json.dumps({"day": datetime.now(UTC).date().isoformat()})
    with switched_on(batch_stack, "build_reports"):
        run = batch_stack.command(
            "dags", "trigger", "build_reports", "--conf", today, "--wait", "--json", check=False
        )
    assert run.returncode == 1
    told = json.loads(run.stdout)
    assert told["state"] == "failed"
    assert "is not over yet" in run.stderr + run.stdout
    assert len(mails_about(batch_stack, told["run_id"])) == 1
