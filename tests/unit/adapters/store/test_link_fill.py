"""The backfill of case links: none for a new store, on after an outage, ends with the process."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cassandra.cluster import NoHostAvailable

from fraudwatch.adapters.store import link_fill
from fraudwatch.application.ports import StoreUnavailable
from tests.waiting import eventually


class FakeSession:
    """Session of a store with so many purchases, and with some ranges filled."""

    def __init__(self, purchases: int, done: set[int] | None = None) -> None:
        self.purchases, self.done = purchases, set(done or ())
        self.rows_read = 0
        self.is_reachable = True

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> Any:
        if not self.is_reachable:
            raise NoHostAvailable("down", {})
        if statement.startswith("SELECT range_number"):
            return [{"range_number": number} for number in sorted(self.done)]
        if statement.startswith("INSERT"):
            self.done.add(values[0])
            return []
        assert statement.endswith("LIMIT 1")
        self.rows_read += min(self.purchases, 1)
        return SimpleNamespace(one=lambda: {"transaction_id": "shop:1"} if self.purchases else None)

    def prepare(self, statement: str) -> Any:
        raise AssertionError(f"a scan is prepared: {statement}")


def opened(session: FakeSession) -> link_fill.LinkFill:
    return link_fill.LinkFill(cast("Any", session))


def filled(session: FakeSession) -> int:
    return link_fill.fill_links(cast("Any", session), threading.Event())


def test_a_store_that_begins_with_the_table_is_never_scanned() -> None:
    session = FakeSession(purchases=0)
    opened(session)
    session.purchases = 7  # written by the stream, with their links
    opened(session)
    assert filled(session) == 0
    assert session.done == {link_fill.NO_EARLIER_PURCHASES}
    assert session.rows_read == 0


def test_a_store_with_purchases_of_before_the_table_is_scanned() -> None:
    session = FakeSession(purchases=7)
    opened(session)
    assert session.done == set()
    with pytest.raises(AssertionError, match="a scan is prepared"):
        filled(session)


def test_a_fill_that_has_begun_goes_on_though_its_purchases_have_expired() -> None:
    session = FakeSession(purchases=0, done={0, 1})
    opened(session)
    assert session.done == {0, 1}


def test_a_store_that_does_not_answer_at_first_is_scanned() -> None:
    session = FakeSession(purchases=0)
    session.is_reachable = False
    opened(session)
    session.is_reachable = True
    assert session.done == set()
    with pytest.raises(AssertionError, match="a scan is prepared"):
        filled(session)


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
        opened(FakeSession(purchases=7)).start(threading.Event())
        eventually(lambda: not _runs(), within_seconds=10, what="the end of the fill")
    assert attempts == []
    assert caplog.text.count("case links of earlier purchases are incomplete (down)") == 2
    assert "added the case links of 7 earlier purchases" in caplog.text


def test_a_persister_that_stops_ends_the_fill_between_two_attempts(attempts: list[Any]) -> None:
    stopping = threading.Event()
    attempts += [StoreUnavailable("down"), 7]
    opened(FakeSession(purchases=7)).start(stopping)
    eventually(lambda: attempts == [7], within_seconds=10, what="the first attempt")
    stopping.set()
    eventually(lambda: not _runs(), within_seconds=10, what="the end of the fill")
    assert attempts == [7]
