"""Process a closed day with Airflow's own scheduler: from the shop's extract to a mart by SQL."""

from __future__ import annotations

import json
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
