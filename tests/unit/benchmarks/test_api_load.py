"""Reads of the API's benchmark: every kind, at their times, late ones counted from when due."""

from __future__ import annotations

import json
import time

import httpx

from benchmarks.api_load import Reads, read_at
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.application.console.alerts import alert_of
from fraudwatch.samples import a_verdict

ALERTS = [json.loads(encode(alert_of(a_verdict())))]


def client(status: int = 200, wait_seconds: float = 0.0) -> httpx.Client:
    def answer(_: httpx.Request) -> httpx.Response:
        time.sleep(wait_seconds)
        return httpx.Response(status)

    return httpx.Client(transport=httpx.MockTransport(answer), base_url="http://api")


def test_every_kind_of_read_is_sent_at_the_rate() -> None:
    began = time.monotonic()
    figures = read_at(client(), Reads(ALERTS), 200, 1)
    assert time.monotonic() - began >= 1.4
    assert figures["reads"] == 200
    assert figures["failed"] == 0
    assert set(figures["by_kind_ms"]) == {
        "alert", "customer", "merchant", "risk", "rule", "verdict",
    }  # fmt: skip


def test_failures_are_counted() -> None:
    assert read_at(client(503), Reads(ALERTS), 20, 1)["failed"] == 20


def test_a_read_that_waits_for_slow_ones_counts_from_when_it_was_due() -> None:
    figures = read_at(client(wait_seconds=0.2), Reads(ALERTS), 200, 1)
    # 16 connections answer 80 a second, so the last of 200 reads waits for more than a second.
    assert figures["read_ms"]["max"] > 1_000
