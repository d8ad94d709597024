"""Measure the time to an analyst's first data with a million verdicts in the store.

Takes half an hour on two cores, nearly all of it to score and store them: ``make proof`` runs it,
``make test`` does not.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext
from prometheus_client.parser import text_string_to_metric_families

from fraudwatch.stack.private_stack import PrivateStack, running
from fraudwatch.topics import FRAUD_TOPIC, TRANSACTION_TOPIC
from tests.e2e.console_browser import TIMEOUT_MS, WIDE, Visitor, chromium
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.proof, pytest.mark.timeout(7_200)]
VERDICTS = 1_000_000
LARGE_WEEK = {
    "SHOP_CUSTOMERS": str(VERDICTS // 50),
    "SHOP_HISTORY_DAYS": "7",
    "SHOP_HISTORY_PURCHASES": str(VERDICTS),
}
# Some purchases of a shop are refused.
WRITTEN_RATIO = 0.98
VISITS = 9
FIRST_DATA_SECONDS = 1.0
QUIET_LOAD = 4.0
# The alert list's key in the browser protocol.
LIST = b"live_alerts"


@pytest.fixture(scope="module")
def full_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateStack]:
    with running(tmp_path_factory.mktemp("full_home"), LARGE_WEEK, "speed") as started:
        eventually(
            lambda: written(started) >= WRITTEN_RATIO * VERDICTS,
            within_seconds=6_000,
            what=f"{VERDICTS} verdicts in Cassandra",
        )
        eventually(lambda: is_idle(started), within_seconds=3_000, what="consumers without lag")
        # Cassandra compacts for minutes after many writes.
        eventually(
            lambda: os.getloadavg()[0] < QUIET_LOAD,
            within_seconds=1_800,
            what="a low load average",
        )
        yield started


def metrics_of(stack: PrivateStack, service: str) -> dict[tuple[str, str], float]:
    """Scrape a service's samples by name and topic."""
    page = httpx.get(f"http://127.0.0.1:{stack.port(service, 'metrics')}/metrics", trust_env=False)
    return {
        (sample.name, sample.labels.get("topic", "")): sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
    }


def written(stack: PrivateStack) -> float:
    return metrics_of(stack, "persister").get(("fraudwatch_persister_rows_total", FRAUD_TOPIC), 0)


def is_idle(stack: PrivateStack) -> bool:
    return all(
        metrics_of(stack, service)[f"fraudwatch_{service}_lag_seconds", topic] < 10
        for service, topic in (
            ("persister", FRAUD_TOPIC),
            ("persister", TRANSACTION_TOPIC),
            ("tally", ""),
        )
    )


@dataclass(frozen=True)
class Visit:
    """Seconds from the click on the login button."""

    until_data: float
    """Until the list of alerts has arrived in the browser."""
    until_painted: float
    """Until the browser, on the same processors as the store and without a GPU, shows it."""


def visit(stack: PrivateStack, context: BrowserContext) -> Visit:
    """Log in in a new tab."""
    page, arrived = context.new_page(), []

    def note_arrival(frame: str | bytes) -> None:
        if isinstance(frame, bytes) and LIST in frame:
            arrived.append(time.perf_counter())

    page.on("websocket", lambda socket: socket.on("framereceived", note_arrival))
    anna = Visitor(page, stack)
    try:
        anna.fill_in("analyst")
        began = time.perf_counter()
        anna.press("Log in")
        page.wait_for_selector("[data-testid=stDataFrame]", timeout=TIMEOUT_MS)
        painted = time.perf_counter()
        return Visit(arrived[0] - began, painted - began)
    finally:
        page.close()


def test_the_first_alerts_of_a_million_verdicts_arrive_within_a_second(
    full_store: PrivateStack, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = first_data(full_store)
    with capsys.disabled():
        print(json.dumps(figures))  # noqa: T201  figures for docs/performance.md
    assert figures["warm"]["until_data"] < FIRST_DATA_SECONDS


def first_data(stack: PrivateStack) -> dict[str, Any]:
    """Measure the first visit and the medians of the following ones."""
    with chromium() as browser:
        context = browser.new_context(viewport=WIDE)  # type: ignore[arg-type]
        first = visit(stack, context)
        warm = [visit(stack, context) for _ in range(VISITS)]
    return {
        "verdicts": round(written(stack)),
        "first": {name: round(seconds, 2) for name, seconds in asdict(first).items()},
        "warm": {
            name: round(statistics.median(getattr(one, name) for one in warm), 2)
            for name in asdict(first)
        },
        "load_average": round(os.getloadavg()[0], 1),
    }
