"""The backfill of case links goes on after an outage, and ends with the process."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from fraudwatch.adapters.store import link_fill
from fraudwatch.application.ports import StoreUnavailable
from tests.waiting import eventually

NO_SESSION: Any = object()


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Outcomes of the attempts to come: an error to raise, or the number of purchases read."""
    outcomes: list[Any] = []

    def fill_links(*_: Any) -> int:
        outcome = outcomes.pop(0)
        if isinstance(outcome, StoreUnavailable):
            raise outcome
        return int(outcome)

    monkeypatch.setattr(link_fill, "fill_links", fill_links)
    return outcomes


def _runs() -> bool:
    return any(thread.name == "link-fill" for thread in threading.enumerate())


def test_an_outage_is_logged_with_its_effect_and_the_fill_goes_on(
    attempts: list[Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(link_fill, "RETRY_SECONDS", 0.01)
    attempts += [StoreUnavailable("down"), StoreUnavailable("down"), 7]
    with caplog.at_level("INFO"):
        link_fill.LinkFill(NO_SESSION).start(threading.Event())
        eventually(lambda: not _runs(), within_seconds=10, what="the end of the fill")
    assert attempts == []
    assert caplog.text.count("case links of earlier purchases are incomplete (down)") == 2
    assert "added the case links of 7 earlier purchases" in caplog.text


def test_a_persister_that_stops_ends_the_fill_between_two_attempts(attempts: list[Any]) -> None:
    stopping = threading.Event()
    attempts += [StoreUnavailable("down"), 7]
    link_fill.LinkFill(NO_SESSION).start(stopping)
    eventually(lambda: attempts == [7], within_seconds=10, what="the first attempt")
    stopping.set()
    eventually(lambda: not _runs(), within_seconds=10, what="the end of the fill")
    assert attempts == [7]
