"""Posts of the intake benchmark: at their times, never a purchase twice, failures counted."""

from __future__ import annotations

import json
import time

import httpx

from benchmarks.intake_load import bodies, post_at


def client(status: int = 202, wait_seconds: float = 0.0) -> httpx.Client:
    def answer(_: httpx.Request) -> httpx.Response:
        time.sleep(wait_seconds)
        return httpx.Response(status)

    return httpx.Client(transport=httpx.MockTransport(answer), base_url="http://ingest")


def test_no_purchase_is_sent_twice() -> None:
    sent = [one["id"] for _ in range(2) for body in bodies(5, 20) for one in json.loads(body)]
    assert len(set(sent)) == len(sent) == 200


def test_calls_are_sent_at_the_rate() -> None:
    began = time.monotonic()
    figures = post_at(client(), bodies(100, 10), 100, 10)
    assert time.monotonic() - began >= 1.4
    assert (figures["calls"], figures["failed"]) == (100, 0)
    assert figures["statuses"] == {"202": 100}
    assert 500 < figures["purchases_per_second"] <= 1_050


def test_a_late_call_counts_from_when_it_was_due() -> None:
    figures = post_at(client(wait_seconds=0.2), bodies(320, 1), 3_200, 1)
    assert figures["acknowledged_ms"]["max"] > 1_000


def test_failures_are_counted() -> None:
    figures = post_at(client(503), bodies(10, 1), 100, 1)
    assert (figures["failed"], figures["purchases_per_second"]) == (10, 0.0)
