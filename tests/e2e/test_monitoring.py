"""Monitoring on real engines: targets answer, rules read real metrics, alerts arrive by mail."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import psutil
import pytest

from dev_mail.mails import Mail, Mails
from fraudwatch.stack import catalogue, supervisor
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.stack.system_programs import missing
from tests.e2e.airflow_runs import trigger
from tests.promql_names import scraped_names
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.timeout(900)]
TRUE = "1"
# Of Airflow, HDFS and the batch jobs.
BATCH = ("airflow_", "hadoop_", "fraudwatch_job_")
# Of services that the profile speed does not have.
NOT_IN_SPEED = (*BATCH, "fraudwatch_shadow_")
# By subscription, so there is none before the first webhook is added.
OF_SUBSCRIPTIONS = {"fraudwatch_webhooks_failing", "fraudwatch_webhooks_waiting"}
NIGHTLY = {
    # Sent by jobs that compare whole days, which no short test has.
    "fraudwatch_calibration_slope",
    "fraudwatch_features_different",
    "fraudwatch_reconcile_different",
}
BY_A_RUN = {"fraudwatch_labels_newest_at_seconds"}
# Scrapes are 10 s apart, rules are evaluated every 10 s, and mails are grouped for seconds.
MAIL_SECONDS = 150


def require_programs() -> None:
    if absent := missing(catalogue.load(), ("prometheus", "alertmanager")):
        pytest.skip(f"no {absent}: apt-get install prometheus prometheus-alertmanager")


@pytest.fixture
def speed(stack: PrivateStack) -> PrivateStack:
    require_programs()
    return stack


@pytest.fixture
def batch(batch_stack: PrivateStack) -> PrivateStack:
    require_programs()
    return batch_stack


def query(stack: PrivateStack, expression: str) -> list[dict[str, Any]]:
    url = f"http://127.0.0.1:{stack.port('prometheus', 'http')}/api/v1/query"
    answer = httpx.get(url, params={"query": expression}, trust_env=False).raise_for_status()
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    return found


def absent_metrics(stack: PrivateStack, names: set[str]) -> Callable[[], set[str]]:
    """Return a function that lists which of these metrics have no series yet."""

    def absent() -> set[str]:
        pattern = "|".join(sorted(names))
        rows = query(stack, f'count by (__name__) ({{__name__=~"{pattern}"}})')
        return names - {row["metric"]["__name__"] for row in rows}

    return absent


def expect_metrics(stack: PrivateStack, names: set[str]) -> None:
    absent = absent_metrics(stack, names)
    try:
        eventually(lambda: not absent(), within_seconds=90, what="metrics", every_seconds=2)
    except TimeoutError:
        pytest.fail(f"rules read metrics that no service has: {sorted(absent())}")


def expect_all_up(stack: PrivateStack, profile: str) -> None:
    services = catalogue.load()
    expected = {
        name
        for name in services.profile(profile)
        if services.services[name].scraped_ports() and not missing(services, (name,))
    }

    def up() -> bool:
        rows = query(stack, "min by (job) (up)")
        return {r["metric"]["job"] for r in rows if r["value"][1] == TRUE} == expected

    eventually(up, within_seconds=90, what=f"targets {sorted(expected)} up", every_seconds=2)


def test_every_target_answers(speed: PrivateStack) -> None:
    expect_all_up(speed, "speed")


def test_every_metric_in_a_rule_exists_in_a_scrape(speed: PrivateStack) -> None:
    expected = scraped_names() - NIGHTLY - BY_A_RUN - OF_SUBSCRIPTIONS
    names = {name for name in expected if not name.startswith(NOT_IN_SPEED)}
    assert len(names) > 20
    expect_metrics(speed, names)


def test_every_rule_is_evaluated_without_an_error(speed: PrivateStack) -> None:
    def states() -> list[str]:
        url = f"http://127.0.0.1:{speed.port('prometheus', 'http')}/api/v1/rules"
        groups = httpx.get(url, trust_env=False).raise_for_status().json()["data"]["groups"]
        found = [rule["health"] for group in groups for rule in group["rules"]]
        return found if found and "unknown" not in found else []

    health = eventually(states, within_seconds=60, what="rules evaluated", every_seconds=2)
    assert set(health) == {"ok"}


@pytest.mark.batch
def test_every_batch_metric_in_a_rule_exists_in_a_scrape(batch: PrivateStack) -> None:
    expect_all_up(batch, "batch")
    assert trigger(batch, "archive_topics")["state"] == "success"
    # A day that is not over: this run fails, as the metric of failures needs.
    today = datetime.now(UTC).date().isoformat()
    assert trigger(batch, "build_reports", day=today)["state"] == "failed"
    names = {name for name in scraped_names() if name.startswith(BATCH)}
    assert len(names) > 8
    expect_metrics(batch, names | BY_A_RUN)


def mail(stack: PrivateStack, subject: str, count_before: int) -> Callable[[], Mail | None]:
    """Return a function that looks for a mail that arrived after the first `count_before`."""

    def arrived() -> Mail | None:
        mails = [m for m in Mails(stack.folder / "mailbox").newest(1_000) if m.subject == subject]
        return mails[0] if len(mails) > count_before else None

    return arrived


@contextmanager
def expects_mails(stack: PrivateStack, alert: str) -> Iterator[None]:
    """Expect a mail that the alert fires, while the block runs one that it ended."""
    mails = list(Mails(stack.folder / "mailbox").newest(1_000))
    subjects = {state: f"[{state}] {alert}" for state in ("page", "resolved")}
    before = {s: sum(m.subject == s for m in mails) for s in subjects.values()}
    firing = mail(stack, subjects["page"], before[subjects["page"]])
    found = eventually(firing, within_seconds=MAIL_SECONDS, what=subjects["page"], every_seconds=1)
    assert found is not None
    assert "FIRING: " in found.text
    assert "Runbook: docs/runbooks/service_" in found.text
    yield
    ended = mail(stack, subjects["resolved"], before[subjects["resolved"]])
    eventually(ended, within_seconds=MAIL_SECONDS, what=subjects["resolved"], every_seconds=1)


def test_a_frozen_persister_is_mailed_and_so_is_its_end(speed: PrivateStack) -> None:
    process = psutil.Process(speed.pid("persister"))
    process.send_signal(signal.SIGSTOP)
    try:
        with expects_mails(speed, "ServiceUnreachable persister"):
            silent = query(speed, 'up{job="persister"} == 0')
            process.send_signal(signal.SIGCONT)
    finally:
        with suppress(psutil.NoSuchProcess):  # the watchdog ends what hangs for minutes
            process.send_signal(signal.SIGCONT)
    assert silent


def test_a_stopped_persister_is_mailed_until_the_runbook_starts_it(speed: PrivateStack) -> None:
    supervisor.call(speed.home, "stopProcess", "persister")
    try:
        with expects_mails(speed, "ServiceDown persister"):
            speed.command("up", "--profile", "speed")
    finally:
        speed.command("up", "--profile", "speed")
    assert speed.states("persister")["persister"].ready
