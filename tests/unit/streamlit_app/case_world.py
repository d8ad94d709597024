"""Case page over memory twins, for the person that a test logs in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st
from streamlit.testing.v1 import AppTest

from fraudwatch.adapters.memory.verdict_store import MemoryTopic, MemoryVerdictStore
from fraudwatch.application.console.access import Person, Role
from fraudwatch.domain.messages.label import LabelValue
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.samples import NOON_MS, a_transaction, a_verdict
from streamlit_app.case import open_cases
from streamlit_app.console_services import ConsoleServices, ServiceSource
from tests.unit.streamlit_app.conftest import memory_services

ANN, BEN, ROOT = Person("ann", Role.ANALYST), Person("ben", Role.LEAD), Person("root", Role.ADMIN)
CASE = "shop:7"
HOUR_MS = 3_600_000


# AppTest runs a function's source alone, where no import of this module is known: hence quotes.
def page(source: "ServiceSource") -> None:  # noqa: UP037  as above
    from streamlit_app.case import screen as case

    case.show(source)


@dataclass
class World:
    """A store in memory, a clock, and the screen for one person after another."""

    store: MemoryVerdictStore
    services: ConsoleServices
    now: datetime
    app: AppTest

    @property
    def topic(self) -> MemoryTopic:
        assert isinstance(self.services.decisions.topic, MemoryTopic)
        return self.services.decisions.topic

    def buy(self, name: str, *, age_hours: float = 0.0, **changes: Any) -> Transaction:
        """Write a purchase and its verdict on it."""
        open_cases.forget()
        event_at_ms = NOON_MS - int(age_hours * HOUR_MS)
        special = changes.pop("verdict", {})
        bought = a_transaction(transaction_id=name, event_at_ms=event_at_ms, **changes)
        shared = {"customer_token": bought.customer_token, "event_at_ms": event_at_ms}
        judged = a_verdict(
            transaction_id=name, decided_at_ms=event_at_ms + 120, **(shared | special)
        )
        self.store.write([judged], [bought])
        return bought

    def look(self, person: Person = ANN, about: str | None = CASE) -> AppTest:
        st.cache_data.clear()
        open_cases.forget()
        self.app.session_state["signed_in_as"] = person
        if about is not None:
            self.app.query_params["transaction"] = about
        return self.app.run()

    def press(self, label: str) -> AppTest:
        return next(one for one in self.app.button if one.label == label).click().run()

    def save(self, truth: LabelValue, note: str = "") -> AppTest:
        self.app.radio[0].set_value(truth)
        self.app.text_area[0].input(note)
        return self.press("Save decision")

    @property
    def buttons(self) -> list[str]:
        return [one.label for one in self.app.button]

    @property
    def texts(self) -> str:
        """All texts on the page."""
        app = self.app
        parts = (app.text, app.info, app.warning, app.error, app.success, app.subheader)
        return "\n".join(str(one.value) for part in parts for one in part)

    def open(self) -> str:
        asked = self.app.query_params["transaction"]
        return asked if isinstance(asked, str) else asked[0]


def worlds() -> Iterator[World]:
    """Make a world, and check after the test that no page raised."""
    st.cache_resource.clear()
    st.cache_data.clear()
    store = MemoryVerdictStore()
    now = datetime.fromtimestamp(NOON_MS / 1_000, UTC) + timedelta(minutes=5)
    services = memory_services(store, lambda: made.now)
    made = World(store, services, now, app=None)  # type: ignore[arg-type]
    source = ServiceSource(open_services=lambda: made.services, clock=lambda: made.now)
    made.app = AppTest.from_function(page, args=(source,), default_timeout=60)
    yield made
    assert not made.app.exception
