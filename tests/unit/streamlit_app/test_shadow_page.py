"""Shadow page by role, with a comparison, without one, and without a store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fraudwatch.adapters.memory.shadow import MemoryShadowStore
from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.console.access import Forbidden, Person, Role
from fraudwatch.application.shadow.comparing import Comparing, ShadowRow
from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue
from fraudwatch.domain.messages.label import Source as LabelSource
from fraudwatch.domain.messages.verdict import Outcome, Risk
from fraudwatch.domain.shadow import Compared, Comparison, NotCompared
from fraudwatch.samples import a_verdict
from streamlit_app.console_services import ConsoleServices, ServiceSource
from streamlit_app.shadow import queries as shadow_queries
from tests.unit.streamlit_app.conftest import memory_services

NOW = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)
NOW_MS = epoch_ms_of(NOW)
COMPARISON = Comparison(
    comparison_id="0123456789ab",
    started_at_ms=NOW_MS - 7_200_000,
    from_at_ms=NOW_MS - 7_200_000,
    started_by="operator",
    policy_version="stricter+1f3a9c04",
)


# AppTest runs a function's source alone, where no import of this module is known: hence quotes.
def page(source: "ServiceSource") -> None:  # noqa: UP037  as above
    from streamlit_app.shadow import screen as shadow

    shadow.show(source)


@dataclass
class World:
    verdicts: MemoryVerdictStore
    services: ConsoleServices
    app: AppTest
    offset: int = 0

    @property
    def store(self) -> MemoryShadowStore:
        assert isinstance(self.services.shadow, MemoryShadowStore)
        return self.services.shadow

    def compare(
        self,
        live: Outcome,
        candidate: Outcome | NotCompared,
        label: LabelValue | None = None,
    ) -> str:
        """Compare one purchase of 1,000 EUR, an hour ago, and perhaps label it."""
        self.offset += 1
        verdict = a_verdict(
            transaction_id=f"shop:{self.offset}",
            source_offset=self.offset,
            outcome=live,
            risk=Risk.LOW if live is Outcome.APPROVE else Risk.HIGH,
            amount_eur_cents=100_000,
            event_at_ms=NOW_MS - 3_600_000 + self.offset,
            decided_at_ms=NOW_MS - 3_600_000,
        )
        other = (
            candidate
            if isinstance(candidate, NotCompared)
            else replace(verdict, outcome=candidate, policy_version="stricter+1f3a9c04")
        )
        self.store.begin(COMPARISON)
        counted = self.store.load(COMPARISON.comparison_id, 0)
        row = ShadowRow(Compared(verdict, other), self.offset, self.offset)
        Comparing(self.store, counted).count([row])
        labels = []
        if label is not None:
            labels = [
                Label(
                    schema=LABEL_SCHEMA,
                    transaction_id=verdict.transaction_id,
                    verdict=label,
                    source=LabelSource.ANALYST,
                    by="ada",
                    known_at_ms=NOW_MS - 60_000,
                )
            ]
        self.verdicts.write([verdict], [], labels)
        return verdict.transaction_id

    def open(self, role: Role = Role.LEAD) -> None:
        self.app.session_state["signed_in_as"] = Person("ada", role)
        self.app.run()
        assert not self.app.exception

    def metrics(self) -> dict[str, str]:
        return {one.label: str(one.value) for one in self.app.metric}

    def words(self) -> str:
        parts = [*self.app.caption, *self.app.info, *self.app.error, *self.app.warning]
        return "\n".join(str(part.value) for part in parts)

    def table(self, column: str) -> pd.DataFrame:
        found: list[pd.DataFrame] = [one.value for one in self.app.dataframe]
        return next(one for one in found if column in one.columns)


@pytest.fixture
def world() -> Iterator[World]:
    st.cache_resource.clear()
    st.cache_data.clear()
    store = MemoryVerdictStore()
    made = World(store, memory_services(store, lambda: NOW), app=None)  # type: ignore[arg-type]
    source = ServiceSource(open_services=lambda: made.services, clock=lambda: NOW)
    made.app = AppTest.from_function(page, args=(source,), default_timeout=30)
    return made


def test_without_a_comparison_the_page_says_how_to_start_one(world: World) -> None:
    world.open()
    assert "./fraudwatch shadow start" in world.words()
    assert not world.app.metric


def test_a_comparison_without_purchases_is_shown_as_such(world: World) -> None:
    world.store.begin(COMPARISON)
    world.open()
    assert "No purchase is compared yet" in world.words()
    assert world.metrics()["Share with another outcome"] == "—"


def test_both_sides_outcomes_and_days_are_counted(world: World) -> None:
    for _ in range(7):
        world.compare(Outcome.APPROVE, Outcome.APPROVE)
    world.compare(Outcome.APPROVE, Outcome.REVIEW)
    world.compare(Outcome.REVIEW, Outcome.DECLINE)
    world.compare(Outcome.REVIEW, Outcome.REVIEW)
    world.open()
    assert world.metrics() == {
        "Purchases compared": "10",
        "Other outcome": "2",
        "Share with another outcome": "20.00%",
        "Their amount, EUR": "2,000",
    }
    sides = world.table("Difference").to_dict("records")
    assert [tuple(row.values()) for row in sides] == [
        ("Alerts", "2", "3", "+1"),
        ("Declined", "0", "1", "+1"),
        ("Amount of alerts, EUR", "2,000", "3,000", "+1,000"),
        ("Amount declined, EUR", "0", "1,000", "+1,000"),
    ]
    outcomes = world.table("Challenge").set_index("Live")
    assert outcomes.loc["Approved", "Review"] == 1
    assert outcomes.loc["Review", "Declined"] == 1
    assert list(outcomes.index) == ["Approved", "Review"]
    [day] = world.table("Live alerts").to_dict("records")
    assert day == {"Day": "2026-03-10", "Purchases": 10, "Live alerts": 2, "Candidate alerts": 3}


def test_the_page_names_versions_and_the_time_since_when(world: World) -> None:
    world.compare(Outcome.REVIEW, Outcome.REVIEW)
    world.open()
    caption = world.app.caption[0].value
    assert "since 10:30:00" in caption
    assert "Live: policy test, no model" in caption
    assert "Candidate: policy stricter+1f3a9c04, no model" in caption


def test_a_chosen_line_opens_its_case(world: World) -> None:
    first = world.compare(Outcome.REVIEW, Outcome.APPROVE)
    newest = world.compare(Outcome.APPROVE, Outcome.DECLINE)
    world.open()
    listed = world.table("transaction")
    assert list(listed["transaction"]) == [newest, first]
    assert list(listed["live"]) == ["Approved, 0.50", "Review, 0.50"]
    world.app.session_state["shadow_alerts_0"] = {"selection": {"cells": [[1, "live"]]}}
    world.app.run()
    assert world.app.query_params["transaction"] == first


def test_both_sides_are_measured_on_the_same_labels(world: World) -> None:
    fraud, genuine = LabelValue.FRAUD, LabelValue.GENUINE
    world.compare(Outcome.REVIEW, Outcome.APPROVE, genuine)  # a false positive less
    world.compare(Outcome.APPROVE, Outcome.REVIEW, fraud)  # a fraud more
    world.compare(Outcome.REVIEW, Outcome.REVIEW, fraud)
    world.compare(Outcome.APPROVE, Outcome.APPROVE, fraud)  # in no table: both approve
    world.compare(Outcome.REVIEW, NotCompared.NO_VECTOR, fraud)
    world.open()
    tables: list[pd.DataFrame] = [one.value for one in world.app.dataframe]
    labelled = next(one for one in tables if "Recall" in set(one.iloc[:, 0]))
    found = {row[""]: (row["Live"], row["Candidate"]) for row in labelled.to_dict("records")}
    assert found["Precision"] == ("50.00%", "100.00%")
    assert found["Recall"] == ("33.33%", "66.67%")
    assert found["Frauds missed"] == ("2", "1")
    assert "1 because its feature vector is gone" in world.words()


def test_without_labels_the_page_says_so(world: World) -> None:
    world.compare(Outcome.REVIEW, Outcome.REVIEW)
    world.open()
    assert "No labels yet on compared purchases" in world.words()


def test_without_a_store_the_page_says_so(world: World) -> None:
    world.compare(Outcome.REVIEW, Outcome.REVIEW)
    world.store.is_reachable = False
    world.open()
    assert "store (Cassandra) does not answer" in world.words()


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMIN])
def test_only_a_lead_may_compare(world: World, role: Role) -> None:
    world.compare(Outcome.REVIEW, Outcome.REVIEW)
    world.app.session_state["signed_in_as"] = Person("ada", role)
    world.app.run()
    assert not world.app.metric
    assert not world.app.dataframe
    source = ServiceSource(open_services=lambda: world.services, clock=lambda: NOW)
    with pytest.raises(Forbidden):
        shadow_queries.comparisons(source, Person("ada", role))


def test_an_earlier_comparison_can_be_chosen(world: World) -> None:
    world.compare(Outcome.REVIEW, Outcome.APPROVE)
    later = replace(COMPARISON, comparison_id="f" * 12, started_at_ms=NOW_MS - 1_000)
    world.store.begin(later)
    world.open()
    assert world.metrics()["Purchases compared"] == "0"
    world.app.selectbox[0].select_index(1).run()
    assert world.metrics()["Purchases compared"] == "1"
