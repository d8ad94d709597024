"""Every panel about the speed half has data on a running stack, in Prometheus and as a picture."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from exporters.render_dashboards.dashboard_files import DashboardPanel, read_dashboards
from exporters.render_dashboards.range_queries import Prometheus, Series, TimeRange, client_of
from fraudwatch.adapters.kafka_log.log import KafkaTopic
from fraudwatch.observability.dashboards.catalogue import DASHBOARDS
from fraudwatch.observability.dashboards.panels import Event, Panel
from fraudwatch.observability.dashboards.write import FOLDER
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import TRANSACTION_TOPIC
from tests.e2e.console_browser import TIMEOUT_MS, WIDE, Visitor, chromium
from tests.waiting import eventually

pytestmark = [
    pytest.mark.engines,
    pytest.mark.timeout(900),
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed"),
]
SPEED = ("operations", "streaming", "kafka", "cassandra", "hosts")
# Events that the test waits for or provokes; all others need the batch half.
PROVOKED = {Event.SNAPSHOT, Event.CONSOLE_PAGE, Event.SUBSCRIPTION}
# Legends of queries about a past that a new stack does not have.
PAST = {"a day ago", "a week ago"}
SCRAPE_SECONDS = 10
MINUTES = 5
WITHIN_SECONDS = 240
RENDERED_MS = 5_000


@pytest.fixture(scope="module")
def busy(stack: PrivateStack) -> Iterator[PrivateStack]:
    """Open the console, add a webhook without events, and publish what cannot be read."""
    with chromium() as browser:
        page = browser.new_page(viewport=WIDE)
        page.set_default_timeout(TIMEOUT_MS)
        visitor = Visitor(page, stack)
        visitor.log_in("analyst")
        # The page's time counts, and its list exists, only when all of it is rendered.
        page.locator("[data-testid=stDataFrame]").first.wait_for(state="attached")
        page.wait_for_timeout(RENDERED_MS)
    transactions = KafkaTopic(stack.kafka("admin"), TRANSACTION_TOPIC)
    transactions.send([("nobody", b"not JSON", {})])
    words = ("http://127.0.0.1:1/", "--client", "dashboards", "--event", "verdict")
    added = stack.command("webhooks", "add", *words, "--source", "no-such-shop", "--json")
    yield stack
    stack.command("webhooks", "remove", json.loads(added.stdout)["subscription_id"])


def prometheus_of(stack: PrivateStack) -> str:
    return f"http://127.0.0.1:{stack.port('prometheus', 'http')}"


def expected_panels() -> dict[tuple[str, str], Panel]:
    """Return the panels about the speed half by dashboard and title."""
    return {
        (board.title, panel.title): panel
        for board in DASHBOARDS
        for panel in board.panels
        if panel.appears_after is None or panel.appears_after in PROVOKED
    }


def series_of(stack: PrivateStack, panels: Iterable[DashboardPanel]) -> list[list[Series]]:
    now = time.time()
    within = TimeRange(now - MINUTES * 60, now, SCRAPE_SECONDS)
    with client_of(prometheus_of(stack)) as client:
        prometheus = Prometheus(client, within)
        return [prometheus.series_of(panel) for panel in panels]


def queries() -> dict[str, DashboardPanel]:
    """Return a panel for every query of the committed files about the speed half."""
    expected = expected_panels()
    return {
        f"{board.title}: {panel.title}: {target.legend}": replace(panel, targets=(target,))
        for board in read_dashboards(FOLDER)
        if board.name in SPEED
        for panel in board.panels
        if (board.title, panel.title) in expected
        for target in panel.targets
        if target.legend not in PAST
    }


def without_data(stack: PrivateStack) -> list[str]:
    """List the queries that return no value."""
    asked = queries()
    return [
        name
        for name, series in zip(asked, series_of(stack, asked.values()), strict=True)
        if not series
    ]


def test_every_event_is_provoked_or_of_the_batch_half() -> None:
    needed = {
        panel.appears_after
        for board in DASHBOARDS
        for panel in board.panels
        if board.title not in {"Airflow and batch", "HDFS and Hive"} and panel.appears_after
    }
    batch = {Event.REFINEMENT, Event.RECONCILIATION, Event.DRIFT, Event.CALIBRATION}
    assert needed == PROVOKED | batch


def test_every_panel_about_the_speed_half_has_data(busy: PrivateStack, tmp_path: Path) -> None:
    deadline = time.monotonic() + WITHIN_SECONDS
    while (missing := without_data(busy)) and time.monotonic() < deadline:
        time.sleep(SCRAPE_SECONDS)
    assert not missing, "\n".join(missing)
    words = ("--minutes", str(MINUTES), "--folder", str(tmp_path), "--json")
    drawn = json.loads(busy.command("dashboards", *SPEED, *words).stdout)["dashboards"]
    counts = {
        (board["title"], panel["title"]): panel["series"]
        for board in drawn
        for panel in board["panels"]
    }
    assert [key for key in expected_panels() if not counts.get(key, 1)] == []
    assert sorted(path.stem for path in tmp_path.glob("*.png")) == sorted(SPEED)


def test_a_message_that_cannot_be_read_is_in_the_panel_of_dead_letters(
    busy: PrivateStack,
) -> None:
    [panel] = [
        panel
        for name, panel in queries().items()
        if name.startswith("Fraud operations: Dead letters by stage")
    ]

    def rate() -> float:
        [series] = series_of(busy, [panel])
        return max(
            (float(np.nanmax(one.values)) for one in series if one.name == "detector not_json"),
            default=0.0,
        )

    assert eventually(rate, within_seconds=120, what="a dead letter", every_seconds=5) > 0
