"""Live page over memory twins, for the person that a test logs in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import streamlit as st
from streamlit.testing.v1 import AppTest

from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.console.access import Person, Role
from fraudwatch.application.console.alerts import Alert, alert_of
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.samples import a_token, a_verdict
from streamlit_app.console_services import ConsoleServices, ServiceSource
from streamlit_app.people import login
from tests.unit.streamlit_app.conftest import memory_services

NOON = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
NOON_MS = int(NOON.timestamp() * 1_000)
ANALYST = Person("anna", Role.ANALYST)


def ms(instant: datetime) -> int:
    return int(instant.timestamp() * 1_000)


def a_live_verdict(decided_at_ms: int, name: str, **changes: object) -> Verdict:
    usual: dict[str, object] = {
        "transaction_id": f"shop:{name}",
        "decided_at_ms": decided_at_ms,
        "event_at_ms": decided_at_ms - 120,
        "amount_minor": 123_450,
        "amount_eur_cents": 123_450,
        "currency": "GBP",
        "merchant_id": name,
        "customer_token": a_token(name[0]),
    }
    return a_verdict(**usual | changes)


def an_alert(age_seconds: float, name: str = "a", **changes: object) -> Alert:
    return alert_of(a_live_verdict(NOON_MS - int(age_seconds * 1_000), name, **changes))


def a_label(known_at_ms: int, transaction_id: str, **changes: object) -> Label:
    usual: dict[str, object] = {
        "schema": LABEL_SCHEMA,
        "transaction_id": transaction_id,
        "verdict": LabelValue.FRAUD,
        "source": Source.ANALYST,
        "by": "bert",
        "known_at_ms": known_at_ms,
    }
    return Label(**usual | changes)  # type: ignore[arg-type]


# AppTest runs a function's source alone, where no import of this module is known: hence quotes.
def page(source: "ServiceSource") -> None:  # noqa: UP037  as above
    from streamlit_app.live import screen as live

    live.show(source)


@dataclass
class LiveWorld:
    """A store in memory, a clock that a test sets, and the live page over both."""

    store: MemoryVerdictStore = field(default_factory=MemoryVerdictStore)
    now: datetime = NOON
    services: ConsoleServices = field(init=False)
    app: AppTest = field(init=False)

    def __post_init__(self) -> None:
        st.cache_resource.clear()
        self.services = memory_services(self.store, lambda: self.now)

    def open(self, person: Person | None = ANALYST, **query: str | list[str]) -> AppTest:
        source = ServiceSource(open_services=lambda: self.services, clock=lambda: self.now)
        self.app = AppTest.from_function(page, args=(source,), default_timeout=60)
        if person is not None:
            self.app.session_state[login._SIGNED_IN_AS] = person
        for name, value in query.items():
            self.app.query_params[name] = value
        return self.app.run()

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.app.run()

    def buy(self, age_seconds: float, name: str, **changes: object) -> Verdict:
        decided_at_ms = ms(self.now - timedelta(seconds=age_seconds))
        verdict = a_live_verdict(decided_at_ms, name, **changes)
        self.store.write([verdict], [])
        return verdict

    def label(self, transaction_id: str, **changes: object) -> None:
        self.store.write([], [], [a_label(ms(self.now), transaction_id, **changes)])

    def listed(self, column: str = "merchant") -> list[str]:
        return list(self.app.dataframe[0].value[column]) if self.app.dataframe else []

    def metric(self, label: str) -> str:
        return str(next(one.value for one in self.app.metric if one.label == label))

    def toggle(self, label: str, *, to: bool) -> None:
        next(one for one in self.app.toggle if one.label == label).set_value(to).run()

    def choose(self, label: str, *values: str) -> None:
        next(one for one in self.app.multiselect if one.label == label).set_value(
            list(values)
        ).run()

    def click(self, row: int) -> None:
        key = self.app.dataframe[0].key
        self.app.session_state[key] = {"selection": {"cells": [(row, "risk")]}}
        self.app.run()
