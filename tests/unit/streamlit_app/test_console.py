"""Console end to end: login first, then alerts, even with an unavailable store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.console.access import Role
from fraudwatch.application.console.accounts import Accounts
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.samples import a_verdict
from streamlit_app.console_services import ServiceSource
from tests.unit.streamlit_app.conftest import PASSWORDS, memory_accounts, memory_services

PASSWORD = PASSWORDS[Role.ANALYST]


# AppTest runs a function's source alone, where no import of this module is known: hence quotes.
def console(source: "ServiceSource", accounts: "Accounts") -> None:  # noqa: UP037  as above
    from fraudwatch.adapters.memory.casework import MemoryAudit
    from streamlit_app.app import main

    main(source, accounts, MemoryAudit)


@dataclass
class World:
    """A store in memory, a clock that a test sets, and the console over both."""

    store: MemoryVerdictStore
    now: datetime
    app: AppTest

    def log_in(self, username: str = "analyst", password: str = PASSWORD) -> None:
        self.app.text_input[0].input(username)
        self.app.text_input[1].input(password)
        self.app.button[0].click().run()

    def later(self, seconds: float) -> None:
        """Let time pass for the clock and for what the console had kept."""
        self.now += timedelta(seconds=seconds)
        st.cache_data.clear()
        self.app.run()

    def buy(self, age_seconds: float, **changes: object) -> Verdict:
        decided_at_ms = int((self.now - timedelta(seconds=age_seconds)).timestamp() * 1_000)
        identity = f"shop:{decided_at_ms}"
        usual: dict[str, object] = {
            "transaction_id": identity,
            "decided_at_ms": decided_at_ms,
            "event_at_ms": decided_at_ms - 120,
            "amount_minor": 123_450,
            "currency": "GBP",
            "merchant_id": "merchant-7",
        }
        verdict = a_verdict(**usual | changes)
        self.store.write([verdict], [])
        return verdict


@pytest.fixture
def world() -> Iterator[World]:
    st.cache_resource.clear()
    st.cache_data.clear()
    store = MemoryVerdictStore()
    made = World(store, datetime(2026, 3, 1, 12, 30, tzinfo=UTC), app=None)  # type: ignore[arg-type]
    source = ServiceSource(
        open_services=lambda: memory_services(store, lambda: made.now), clock=lambda: made.now
    )
    accounts = memory_accounts(lambda: made.now)
    made.app = AppTest.from_function(console, args=(source, accounts), default_timeout=30)
    made.app.run()
    yield made
    assert not made.app.exception


def test_nothing_is_shown_before_login(world: World) -> None:
    world.buy(1)
    world.later(1)
    assert [field.label for field in world.app.text_input] == ["User name", "Password"]
    assert not world.app.dataframe
    assert not world.app.metric


def test_the_right_login_opens_the_alerts(world: World) -> None:
    world.log_in()
    assert "Password" not in [field.label for field in world.app.text_input]
    assert [metric.label for metric in world.app.metric] == [
        "Alerts, last minute",
        "Alerts, last hour",
        "Newest alert",
        "Purchase to alert",
        "Alerts per minute",
    ]


def test_the_time_zone_is_named_once(world: World) -> None:
    world.buy(1)
    world.log_in()
    texts = [str(one.value) for part in (world.app.caption, world.app.text) for one in part]
    assert [text for text in texts if "UTC" in text] == ["All times are UTC"]


def test_the_page_itself_shows_nothing_without_login(world: World) -> None:
    def page(source: "ServiceSource") -> None:  # noqa: UP037  see console()
        from streamlit_app.live import screen as live

        live.show(source)

    world.buy(1)
    source = ServiceSource(
        open_services=lambda: memory_services(world.store, lambda: world.now),
        clock=lambda: world.now,
    )
    bare = AppTest.from_function(page, args=(source,), default_timeout=30).run()
    assert not bare.metric
    assert not bare.dataframe


def test_nothing_is_shown_after_logout(world: World) -> None:
    world.buy(1)
    world.log_in()
    assert world.app.dataframe
    next(button for button in world.app.button if button.label == "Log out").click().run()
    assert not world.app.dataframe
    assert len(world.app.text_input) == 2
