"""A closed day through Airflow's own scheduler: from the shop's books to a report by SQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.testing import eventually

pytestmark = [pytest.mark.engines, pytest.mark.batch, pytest.mark.timeout(1_500)]
ENDED = {"success", "failed"}


@contextmanager
def switched_on(batch_stack: PrivateStack, *names: str) -> Iterator[None]:
    try:
        for name in names:
            batch_stack.command("dags", "unpause", name)
        yield
    finally:
        for name in names:
            batch_stack.command("dags", "pause", name)


def first_ended(batch_stack: PrivateStack, name: str) -> dict[str, Any] | None:
    """Of the runs that the clock or an asset started; a person's is another test's."""
    told = json.loads(batch_stack.command("dags", "runs", name, "--json").stdout)
    by_itself = [run for run in told["runs"] if not run["run_id"].startswith("manual__")]
    ended = [run for run in by_itself if run["state"] in ENDED]
    return ended[-1] if ended else None


def report(batch_stack: PrivateStack, table: str) -> list[dict[str, Any]]:
    told = batch_stack.command("reports", "show", table, "--json").stdout
    rows: list[dict[str, Any]] = json.loads(told)["rows"]
    return rows


def test_a_closed_day_becomes_a_report(batch_stack: PrivateStack) -> None:
    with switched_on(batch_stack, "build_reports", "ingest_transactions"):
        ingested = eventually(
            lambda: first_ended(batch_stack, "ingest_transactions"),
            within_seconds=600,
            what="the end of a run of ingest_transactions",
        )
        assert ingested["state"] == "success"
        reported = eventually(
            lambda: first_ended(batch_stack, "build_reports"),
            within_seconds=600,
            what="the end of the run that the refined day starts",
        )
        assert reported["state"] == "success"
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
    mailbox = batch_stack.home / "mailbox"

    def mails() -> list[str]:
        texts = [path.read_text(encoding="utf-8") for path in mailbox.rglob("*") if path.is_file()]
        return [text for text in texts if told["run_id"] in text.replace("=\n", "")]

    assert len(eventually(mails, within_seconds=60, what="the mail about it")) == 1
