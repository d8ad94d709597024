"""Patterns page by role, with a store that is full, empty or unavailable."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fraudwatch.adapters.memory.casework import MemoryTallies
from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.console.access import Forbidden, Person, Role
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue
from fraudwatch.domain.messages.label import Source as LabelSource
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.tally import Dimension, Tally
from fraudwatch.samples import a_verdict
from streamlit_app.console_services import ConsoleServices, ServiceSource
from streamlit_app.patterns import queries as patterns_queries
from streamlit_app.patterns.period import Period
from tests.unit.streamlit_app.conftest import memory_services

NOW = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)


# AppTest runs a function's source alone, where no import of this module is known: hence quotes.
def page(source: "ServiceSource") -> None:  # noqa: UP037  as above
    from streamlit_app.patterns import screen as patterns

    patterns.show(source)


class TalliesWithoutToday(MemoryTallies):
    """Tells of the past alone."""

    def tallies(self, days: Collection[date]) -> Sequence[Tally]:
        if NOW.date() in days:
            raise StoreUnavailable("switched off")
        return super().tallies(days)


@dataclass
class World:
    store: MemoryVerdictStore
    services: ConsoleServices
    app: AppTest

    @property
    def tallies(self) -> MemoryTallies:
        assert isinstance(self.services.tallies, MemoryTallies)
        return self.services.tallies

    def count(self, days_ago: int, *, purchases: int = 240, alerts: int = 24) -> None:
        day = (NOW - timedelta(days=days_ago)).date().isoformat()
        values = [(Dimension.ALL, ""), (Dimension.COUNTRY, "DE"), (Dimension.MERCHANT, "shop-1")]
        values += [(Dimension.CATEGORY, "fuel"), (Dimension.RULE, "high_amount")]
        whole = Tally(day=day, dimension=Dimension.ALL, value="", purchases=purchases, high=alerts)
        self.tallies.rows += [replace(whole, dimension=name, value=text) for name, text in values]
        self.tallies.rows += [
            replace(
                whole,
                dimension=Dimension.HOUR,
                value=f"{hour:02d}",
                purchases=purchases // 12,
                high=alerts // 12,
            )
            for hour in range(12)
        ]

    def label(
        self,
        name: str,
        truth: LabelValue,
        outcome: Outcome = Outcome.REVIEW,
        source: LabelSource = LabelSource.ANALYST,
    ) -> None:
        event_at_ms = int((NOW - timedelta(days=2)).timestamp() * 1_000)
        verdict = a_verdict(transaction_id=name, event_at_ms=event_at_ms, outcome=outcome)
        label = Label(
            schema=LABEL_SCHEMA,
            transaction_id=name,
            verdict=truth,
            source=source,
            by="ada",
            known_at_ms=event_at_ms + 1_000,
        )
        self.store.write([verdict], [], [label])

    def open(self, role: Role | None = Role.ANALYST, period: str | None = None) -> None:
        if role is not None:
            self.app.session_state["signed_in_as"] = Person("ada", role)
        if period is not None:
            self.app.query_params["period"] = period
        self.app.run()
        assert not self.app.exception

    def metric(self, label: str) -> tuple[str, str]:
        found = next(m for m in self.app.metric if m.label == label)
        return str(found.value), str(found.delta)

    def charts(self) -> int:
        return sum(len(self.app.get(kind)) for kind in ("arrow_vega_lite_chart", "vega_lite_chart"))

    def words(self) -> str:
        parts = [*self.app.caption, *self.app.info, *self.app.error, *self.app.subheader]
        return "\n".join(str(part.value) for part in parts)


@pytest.fixture
def world() -> Iterator[World]:
    st.cache_resource.clear()
    st.cache_data.clear()
    store = MemoryVerdictStore()
    made = World(store, memory_services(store, lambda: NOW), app=None)  # type: ignore[arg-type]
    source = ServiceSource(open_services=lambda: made.services, clock=lambda: NOW)
    made.app = AppTest.from_function(page, args=(source,), default_timeout=30)
    yield made
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.mark.parametrize("role", list(Role))
def test_every_role_sees_the_patterns(world: World, role: Role) -> None:
    world.count(0)
    world.open(role)
    assert world.metric("Purchases") == ("240", "no data before")
    for title in ("By merchant country", "Merchants", "Categories", "Rules"):
        assert title in world.words()
    assert "By weekday and hour" in world.words()
    assert "Alert rate by day" in world.words()
    assert world.charts() == 6


def test_nothing_is_shown_without_login(world: World) -> None:
    world.count(0)
    world.open(role=None)
    assert not world.app.metric
    assert not world.app.dataframe


def test_the_queries_check_the_right_as_well(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    source, person = ServiceSource(lambda: world.services, lambda: NOW), Person("ada", Role.ANALYST)
    monkeypatch.setattr("fraudwatch.application.console.access.RIGHTS", {Role.ANALYST: frozenset()})
    with pytest.raises(Forbidden):
        patterns_queries.past(source, person, [NOW.date()])
    with pytest.raises(Forbidden):
        patterns_queries.labelled(source, person, Period(7, NOW))


def test_the_address_chooses_the_period_and_a_click_changes_it(world: World) -> None:
    world.count(0)
    world.count(1, purchases=120, alerts=24)
    world.count(20)
    world.open(period="1")
    assert world.metric("Purchases") == ("240", "up 100.0 %")
    assert world.metric("Alert rate") == ("10.0 %", "down 10.00 points")
    assert "Alert rate by hour" in world.words()
    world.app.segmented_control[0].set_value(30).run()
    assert world.metric("Purchases") == ("600", "no data before")
    assert world.app.query_params["period"] == "30"


def test_an_empty_store_shows_a_message_with_a_command(world: World) -> None:
    world.open()
    assert "No purchases for the last 7 days" in world.words()
    assert "./fraudwatch status" in world.words()
    assert "There are no labels yet" in world.words()
    assert world.metric("Alert rate") == ("—", "no data before")
    assert world.metric("False positives") == ("—", "no decisions yet")
    assert not world.charts()


def test_chargebacks_alone_show_no_false_positives(world: World) -> None:
    world.count(2)
    world.label("shop:1", LabelValue.FRAUD, source=LabelSource.CHARGEBACK)
    world.open()
    assert world.metric("Value caught, EUR")[0] == "1,200"
    assert world.metric("False positives") == ("—", "no decisions yet")
    assert "chargebacks alone cannot show false positives" in world.words()
    assert "False positives: no analyst has decided an alert of these days yet." in world.words()


def test_labels_are_those_of_the_period_that_is_shown(world: World) -> None:
    world.count(0)
    world.label("shop:1", LabelValue.FRAUD)  # of the day before yesterday
    world.open(period="7")
    assert world.metric("Value caught, EUR")[0] == "1,200"
    world.app.segmented_control[0].set_value(1).run()
    assert world.metric("Value caught, EUR")[0] == "—"


def test_rules_show_their_hits_and_share_of_fraud(world: World) -> None:
    world.count(2)
    world.label("shop:1", LabelValue.FRAUD)
    world.label("shop:2", LabelValue.GENUINE)
    world.open()
    rules = next(table.value for table in world.app.dataframe if "Rule" in table.value)
    assert rules.iloc[0]["Fraud among labelled"] == 50.0
    assert rules.iloc[0]["Frauds of labelled"] == "1 of 2"


def test_a_period_before_that_is_not_counted_every_day_is_not_compared(world: World) -> None:
    for days_ago in range(8):
        world.count(days_ago)
    world.open()
    assert "No comparison: some or all days" in world.words()
    deltas = {str(metric.delta) for metric in world.app.metric}
    assert deltas == {"no data before", "no labels yet", "no decisions yet"}
    changes = [table.value["Change"] for table in world.app.dataframe[:3]]
    assert {str(change) for column in changes for change in column} == {"no data before"}


def test_a_period_before_that_is_counted_every_day_is_compared(world: World) -> None:
    for days_ago in range(14):
        world.count(days_ago)
    world.open()
    assert "No comparison" not in world.words()
    assert world.metric("Purchases") == ("1,680", "unchanged")
    assert set(world.app.dataframe[0].value["Change"]) == {"unchanged"}


def test_labels_give_value_caught_and_false_positives(world: World) -> None:
    world.count(2)
    world.label("shop:1", LabelValue.FRAUD)
    world.label("shop:2", LabelValue.GENUINE)
    world.label("shop:3", LabelValue.FRAUD, Outcome.APPROVE)
    world.open()
    assert world.metric("Value caught, EUR")[0] == "1,200"
    assert world.metric("False positives")[0] == "50.0 %"
    assert "Of 2 alerts decided by analysts, 50.0 % were genuine" in world.words()
    assert "1 of 2 known frauds were alerts" in world.words()


def test_too_many_labels_are_cut_and_reported(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patterns_queries, "MAX_LABELS", 2)
    for number in range(3):
        world.label(f"shop:{number}", LabelValue.FRAUD)
    world.open()
    assert "Only the newest 2 of 3 labels were read." in world.words()


def test_unavailable_tallies_leave_the_labels(world: World) -> None:
    world.label("shop:1", LabelValue.FRAUD)
    world.tallies.is_reachable = False
    world.open()
    assert "The counts cannot be shown" in world.words()
    assert [m.label for m in world.app.metric] == ["Value caught, EUR", "False positives"]


def test_unavailable_labels_leave_the_counts_and_the_page_recovers(world: World) -> None:
    world.count(0)
    world.store.is_reachable = False
    world.open()
    assert world.metric("Purchases")[0] == "240"
    assert "Value caught and false positives are missing" in world.words()
    assert "False positives" not in [m.label for m in world.app.metric]
    world.store.is_reachable = True
    world.open()
    assert not world.app.error
    assert world.metric("False positives") == ("—", "no decisions yet")


@pytest.mark.parametrize(("period", "purchases"), [("7", ["480"]), ("1", [])])
def test_an_unavailable_day_is_missing_and_not_zero(
    world: World, period: str, purchases: list[str]
) -> None:
    world.count(1)
    world.count(2)
    world.count(7)
    world.services = replace(world.services, tallies=TalliesWithoutToday(world.tallies.rows))
    world.open(period=period)
    assert "Today is missing" in world.words()
    assert [m.value for m in world.app.metric if m.label == "Purchases"] == purchases
    assert "No purchases for" not in world.words()


def test_the_slider_leaves_small_groups_out(world: World) -> None:
    world.count(0)
    world.open()
    world.app.select_slider[0].set_value(1_000).run()
    assert "No merchants with at least that many purchases in these days." in world.words()


def test_a_second_run_queries_nothing(world: World) -> None:
    world.count(0)
    world.open()
    world.tallies.is_reachable = False
    world.store.is_reachable = False
    world.open()
    assert not world.app.error
    assert world.metric("Purchases")[0] == "240"
