"""Audit page: for leads and admins, and not for analysts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fraudwatch.adapters.memory.casework import MemoryAudit
from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.console.access import Forbidden, Person, Role
from fraudwatch.domain.messages.audit import AUDIT_SCHEMA, AuditAction, AuditRecord
from fraudwatch.samples import a_token
from streamlit_app.console_services import ServiceSource
from streamlit_app.people import oversight
from streamlit_app.people.audit import ACTION_WORDS
from tests.unit.streamlit_app.conftest import memory_services

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


# AppTest runs a function's source alone, where no import of this module is known: hence quotes.
def page(source: "ServiceSource") -> None:  # noqa: UP037  as above
    from streamlit_app.people import audit

    audit.show(source)


@dataclass
class World:
    audit: MemoryAudit
    source: ServiceSource
    app: AppTest

    def open(self, role: Role | None = Role.LEAD) -> None:
        if role is not None:
            self.app.session_state["signed_in_as"] = Person("someone", role)
        self.app.run()

    def look_again(self) -> None:
        st.cache_data.clear()
        next(button for button in self.app.button if button.label == "Reload").click().run()

    def note(self, age: timedelta, **changes: object) -> None:
        usual = AuditRecord(
            schema=AUDIT_SCHEMA,
            record_id=f"{len(self.audit.records):032x}",
            at_ms=int((NOW - age).timestamp() * 1_000),
            deed=AuditAction.REVEALED,
            by="lead",
            reason="The customer calls",
            transaction_id="shop:1",
            customer_token=a_token("q"),
        )
        self.audit.records.append(replace(usual, **changes))  # type: ignore[arg-type]

    def listed(self, column: str) -> list[str]:
        return list(self.app.dataframe[0].value[column])

    def choose(self, label: str, value: object) -> None:
        next(sealed for sealed in self.app.selectbox if sealed.label == label).set_value(
            value
        ).run()


@pytest.fixture
def world() -> Iterator[World]:
    st.cache_resource.clear()
    st.cache_data.clear()
    services = memory_services(MemoryVerdictStore(), lambda: NOW)
    assert isinstance(services.audit, MemoryAudit)
    source = ServiceSource(open_services=lambda: services, clock=lambda: NOW)
    made = World(
        services.audit, source, AppTest.from_function(page, args=(source,), default_timeout=30)
    )
    yield made
    assert not made.app.exception


@pytest.mark.parametrize("role", [Role.LEAD, Role.ADMIN])
def test_records_are_listed_latest_first(world: World, role: Role) -> None:
    world.note(timedelta(hours=2))
    world.note(
        timedelta(hours=1),
        deed=AuditAction.ACCOUNT_MADE,
        by="admin",
        reason="A new colleague starts",
        transaction_id=None,
        customer_token=None,
        account="a.moreno",
    )
    world.open(role)
    assert world.listed("at") == ["2026-03-01 11:30:00", "2026-03-01 10:30:00"]
    assert world.listed("by") == ["admin", "lead"]
    assert world.listed("action") == ["Created an account", "Revealed personal data"]
    assert world.listed("subject") == ["a.moreno", "shop:1"]
    assert world.listed("customer") == ["—", "qqqqqqqq"]
    assert world.listed("reason") == ["A new colleague starts", "The customer calls"]


def test_an_analyst_is_refused_with_the_reason_and_sees_nothing(world: World) -> None:
    world.note(timedelta(hours=2))
    world.open(Role.ANALYST)
    assert "analyst and may not audit" in world.app.error[0].value
    assert not world.app.dataframe
    assert not world.app.selectbox


def test_nothing_is_shown_without_login(world: World) -> None:
    world.note(timedelta(hours=2))
    world.open(None)
    assert not world.app.dataframe
    assert not world.app.selectbox


def test_the_query_itself_checks_the_role(world: World) -> None:
    with pytest.raises(Forbidden):
        oversight.audit_records(world.source, Person("someone", Role.ANALYST), 7)


def test_only_the_days_that_are_asked_for(world: World) -> None:
    world.note(timedelta(hours=2), by="young")
    world.note(timedelta(days=20), by="older")
    world.note(timedelta(days=390), by="oldest")
    world.open()
    assert world.listed("by") == ["young"]
    world.choose("Days", 30)
    assert world.listed("by") == ["young", "older"]
    world.choose("Days", 400)
    assert world.listed("by") == ["young", "older", "oldest"]


def test_one_person_alone_who_stays_chosen_when_the_days_change(world: World) -> None:
    world.note(timedelta(hours=30), by="lead")
    world.note(timedelta(hours=2), by="other")
    world.open()
    world.choose("Person", "lead")
    assert world.listed("by") == ["lead"]
    world.choose("Days", 1)
    assert not world.app.dataframe
    assert "No records of lead in the last 24 hours." in world.app.info[0].value
    world.choose("Days", 7)
    assert world.listed("by") == ["lead"]


def test_an_empty_log_shows_a_message(world: World) -> None:
    world.open()
    assert [info.value for info in world.app.info] == ["No records in the last 7 days."]


def test_an_unavailable_store_is_named_and_recovers(world: World) -> None:
    world.note(timedelta(hours=2))
    world.audit.is_reachable = False
    world.open()
    assert "does not answer" in world.app.error[0].value
    assert "./fraudwatch status" in world.app.error[0].value
    assert not world.app.info
    assert not world.app.dataframe
    world.audit.is_reachable = True
    world.look_again()
    assert not world.app.error
    assert world.listed("by") == ["lead"]


def test_a_cut_list_shows_a_warning(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oversight, "MAX_RECORDS", 3)
    for hours in range(5):
        world.note(timedelta(hours=hours))
    world.open()
    assert "Only the latest 3 records" in world.app.warning[0].value
    assert len(world.listed("by")) == 3


def test_every_audit_action_has_a_text() -> None:
    assert set(ACTION_WORDS) == set(AuditAction)
