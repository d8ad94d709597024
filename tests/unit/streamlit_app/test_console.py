"""The console as a user meets it: login first, then alerts, even with a store that is silent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st
from pydantic import SecretStr
from streamlit.testing.v1 import AppTest

from fraudwatch.adapters.memory import MemoryVerdictStore
from fraudwatch.domain.verdict import (
    Outcome,
    Risk,
    Verdict,
)
from fraudwatch.settings import ConsoleSettings
from fraudwatch.testing import a_verdict
from streamlit_app.login import Answer, Throttle
from streamlit_app.queries import HOUR_COUNT_FRESH_FOR, Source

PASSWORD = "Correct-Horse-7-Battery"
ACCOUNT = ConsoleSettings(username="analyst", password=SecretStr(PASSWORD))


# AppTest runs a function's source alone, where no import of this module is known: hence quotes.
def console(source: "Source", account: "ConsoleSettings") -> None:  # noqa: UP037  as said above
    from streamlit_app.app import main

    main(source, account)


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

    def metric(self, label: str) -> str:
        return str(next(m.value for m in self.app.metric if m.label == label))

    def listed(self, column: str) -> list[str]:
        return list(self.app.dataframe[0].value[column])


@pytest.fixture
def world() -> Iterator[World]:
    st.cache_resource.clear()
    st.cache_data.clear()
    store = MemoryVerdictStore()
    made = World(store, datetime(2026, 3, 1, 12, 30, tzinfo=UTC), app=None)  # type: ignore[arg-type]
    source = Source(open_reader=lambda: store, clock=lambda: made.now)
    made.app = AppTest.from_function(console, args=(source, ACCOUNT), default_timeout=30)
    made.app.run()
    yield made
    assert not made.app.exception


def test_nothing_is_shown_before_login(world: World) -> None:
    world.buy(1)
    world.later(1)
    assert [field.label for field in world.app.text_input] == ["User name", "Password"]
    assert not world.app.dataframe
    assert not world.app.metric


@pytest.mark.parametrize(
    ("username", "password"),
    [("analyst", "wrong"), ("analyst", ""), ("admin", PASSWORD), ("", ""), ("analyst", "ünicode")],
)
def test_a_wrong_login_is_refused_without_saying_which_part(
    world: World, username: str, password: str
) -> None:
    world.log_in(username, password)
    assert [error.value for error in world.app.error] == ["User name or password is wrong."]
    assert not world.app.metric


def test_the_right_login_opens_the_alerts(world: World) -> None:
    world.log_in()
    assert not world.app.text_input
    assert [metric.label for metric in world.app.metric] == [
        "Alerts, last minute",
        "Alerts, last hour",
        "Newest alert",
        "Purchase to alert",
    ]


def test_a_try_right_after_a_wrong_one_has_to_wait(world: World) -> None:
    world.log_in(password="wrong")
    world.log_in()
    assert "Wait a few seconds" in world.app.warning[0].value
    time.sleep(0.6)
    world.log_in()
    assert world.app.metric


def test_the_page_itself_refuses_who_is_not_logged_in(world: World) -> None:
    def page(source: "Source") -> None:  # noqa: UP037  see console()
        from streamlit_app.screens import live

        live.show(source)

    world.buy(1)
    source = Source(open_reader=lambda: world.store, clock=lambda: world.now)
    bare = AppTest.from_function(page, args=(source,), default_timeout=30).run()
    assert not bare.metric
    assert not bare.dataframe


def test_log_out_shows_nothing_any_more(world: World) -> None:
    world.buy(1)
    world.log_in()
    assert world.app.dataframe
    next(button for button in world.app.button if button.label == "Log out").click().run()
    assert not world.app.dataframe
    assert len(world.app.text_input) == 2


def test_an_empty_store_says_so_and_what_to_look_at(world: World) -> None:
    world.log_in()
    assert world.app.info[0].value.startswith("No alerts yet:")
    assert "./fraudwatch status" in world.app.info[0].value
    assert world.metric("Newest alert") == "none"


def test_alerts_are_listed_newest_first_with_their_numbers_on_top(world: World) -> None:
    world.buy(300, merchant_id="older")
    world.buy(4, merchant_id="newer")
    world.buy(1, merchant_id="approved", outcome=Outcome.APPROVE, risk=Risk.LOW)
    world.log_in()
    assert world.listed("merchant") == ["newer", "older"]
    assert world.listed("amount") == ["1,234.50 GBP", "1,234.50 GBP"]
    assert world.metric("Alerts, last minute") == "1"
    assert world.metric("Alerts, last hour") == "2"
    assert world.metric("Newest alert") == "4 s ago"
    assert world.metric("Purchase to alert") == "120 ms"


def test_a_new_alert_appears_with_the_next_refresh(world: World) -> None:
    world.log_in()
    world.buy(0, merchant_id="fresh")
    world.later(1)
    assert world.listed("merchant") == ["fresh"]
    assert not world.app.info


def test_the_filter_keeps_the_chosen_risks_alone(world: World) -> None:
    world.buy(3, risk=Risk.CRITICAL, merchant_id="grave")
    world.buy(2, risk=Risk.MEDIUM, merchant_id="mild")
    world.log_in()
    world.app.multiselect[0].select(Risk.CRITICAL).run()
    assert world.listed("merchant") == ["grave"]
    assert world.metric("Alerts, last minute") == "1"
    world.app.multiselect[0].unselect(Risk.CRITICAL).run()
    assert world.listed("merchant") == ["mild", "grave"]


def test_pause_holds_the_list_and_says_so(world: World) -> None:
    world.buy(2, merchant_id="before")
    world.log_in()
    world.app.toggle[0].set_value(True).run()
    world.buy(0, merchant_id="after")
    world.later(30)
    assert world.listed("merchant") == ["before"]
    assert "Paused at 12:30:00 UTC" in world.app.warning[0].value
    world.app.toggle[0].set_value(False).run()
    assert world.listed("merchant") == ["after", "before"]


def test_a_silent_store_is_named_with_since_when_and_what_to_do(world: World) -> None:
    world.store.is_reachable = False
    world.log_in()
    world.later(75)
    told = world.app.error[0].value
    assert "has not answered since 12:30:00 UTC (1 min)" in told
    assert "./fraudwatch status" in told
    assert not world.app.dataframe


def test_the_last_known_alerts_stay_while_the_store_is_silent_and_it_recovers(world: World) -> None:
    world.buy(5, merchant_id="known")
    world.log_in()
    world.store.is_reachable = False
    world.later(3)
    assert "Below is what it said at 12:30:00" in world.app.error[0].value
    assert world.listed("merchant") == ["known"]
    world.store.is_reachable = True
    world.buy(0, merchant_id="new")
    world.later(HOUR_COUNT_FRESH_FOR.total_seconds())
    assert not world.app.error
    assert world.listed("merchant") == ["new", "known"]


def test_guessing_gets_slower_and_slower_for_everybody_and_is_forgiven() -> None:
    throttle = Throttle()
    assert throttle.judge(is_right=False, now_seconds=0.0) is Answer.WRONG
    assert throttle.judge(is_right=True, now_seconds=0.4) is Answer.TOO_SOON
    assert throttle.judge(is_right=False, now_seconds=0.5) is Answer.WRONG
    assert throttle.judge(is_right=True, now_seconds=1.4) is Answer.TOO_SOON
    assert throttle.judge(is_right=True, now_seconds=1.5) is Answer.WELCOME
    assert throttle.judge(is_right=False, now_seconds=2.0) is Answer.WRONG
    assert throttle.judge(is_right=True, now_seconds=2.5) is Answer.WELCOME


def test_an_hour_of_guessing_is_at_most_a_few_hundred_tries() -> None:
    throttle = Throttle()
    tries = sum(
        throttle.judge(is_right=False, now_seconds=tick / 10) is Answer.WRONG
        for tick in range(36_000)
    )
    assert tries < 460
