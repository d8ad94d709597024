from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, start_http_server

from benchmarks.scrape_command import cost_of
from benchmarks.scrape_load import scraping
from tests.waiting import eventually


def a_part(verdict_p99_ms: float, cores: float) -> dict[str, Any]:
    return {
        "event_to_verdict_ms": {"p99": verdict_p99_ms},
        "event_to_row_ms": {"p99": 2 * verdict_p99_ms},
        "processes": {"detector": {"cpu_cores": cores / 4}, "kafka": {"cpu_cores": 3 * cores / 4}},
    }


def test_the_cost_is_measured_against_the_mean_of_both_parts_without() -> None:
    compared = cost_of(a_part(100, 1.0), a_part(121, 1.1), a_part(120, 1.0))
    assert compared["event_to_verdict_p99_ms"] == {
        "without": 110, "without_spread": 20, "with": 121, "cost": 11, "cost_ratio": 0.1,
    }  # fmt: skip
    assert compared["event_to_row_p99_ms"]["cost"] == 22
    assert compared["cores"]["cost"] == pytest.approx(0.1)


def test_pages_are_scraped_at_the_interval_and_failures_counted() -> None:
    registry = CollectorRegistry()
    Counter("x", "meaning", registry=registry)
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    good = f"http://127.0.0.1:{server.server_port}/metrics"
    urls = {"good": good, "gone": "http://127.0.0.1:1/metrics"}
    with scraping(urls, 0.05) as cost:
        eventually(lambda: cost.failures >= 3, within_seconds=10, what="three rounds of scrapes")
    server.shutdown()
    server.server_close()
    thread.join()
    report = cost.report()
    assert report["pages"].keys() == {"good"}
    assert report["pages"]["good"]["scrapes"] >= 3
    assert report["pages"]["good"]["bytes"] > 20
    assert report["failures"] >= 3
