"""Reveal dialog: for a lead, and not for the other roles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fraudwatch.adapters.memory.casework import MemoryRevealer
from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.console.access import Forbidden, Person, Role
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.samples import a_transaction
from streamlit_app.console_services import ServiceSource
from streamlit_app.people import oversight
from tests.unit.streamlit_app.conftest import memory_services

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
REASON = "The customer calls, ticket 4711"
PERSONAL = {
    "email": "erika@example.org",
    "name": "<b>Erika</b> **Mustermann**",
    "card_number": "4111111111111111",
    "novelty": "of a newer edge",
}
OPEN = "Reveal personal data"
LOOK = "Record and reveal"


# AppTest runs a function's source alone, where no import of this module is known: hence quotes.
def page(source: "ServiceSource", purchases: "list[Transaction]") -> None:  # noqa: UP037  as above
    import streamlit as st

    from streamlit_app.case import reveal_dialog
    from streamlit_app.people import login

    person = login.signed_in_as()
    assert person is not None
    which = st.number_input("Which", 0, len(purchases) - 1)
    reveal_dialog.show_button(source, person, purchases[int(which)])


@dataclass
class World:
    revealer: MemoryRevealer
    source: ServiceSource
    purchases: list[Transaction]
    app: AppTest

    def open(self, role: Role) -> None:
        self.app.session_state["signed_in_as"] = Person("someone", role)
        self.app.run()

    def press(self, label: str) -> None:
        next(button for button in self.app.button if button.label == label).click().run()

    def look(self, reason: str = REASON) -> None:
        self.press(OPEN)
        self.app.text_area[0].input(reason)
        self.press(LOOK)

    def texts(self) -> list[str]:
        return [text.value for text in self.app.text]

    def kept(self) -> str:
        return repr(self.app.session_state)


@pytest.fixture
def world() -> Iterator[World]:
    st.cache_resource.clear()
    st.cache_data.clear()
    services = memory_services(MemoryVerdictStore(), lambda: NOW, {"shop:1": PERSONAL})
    assert isinstance(services.revealer, MemoryRevealer)
    source = ServiceSource(open_services=lambda: services, clock=lambda: NOW)
    purchases = [
        a_transaction(),
        a_transaction(transaction_id="shop:2"),
        a_transaction(transaction_id="shop:3", sealed=None),
    ]
    app = AppTest.from_function(page, args=(source, purchases), default_timeout=30)
    made = World(services.revealer, source, purchases, app)
    yield made
    assert not made.app.exception


def test_a_lead_gives_a_reason_and_reads_the_fields_as_plain_text(world: World) -> None:
    world.open(Role.LEAD)
    assert not world.app.text_area
    world.look()
    assert world.texts() == [
        "The card's number: 411111••••••1111",
        "Card holder: <b>Erika</b> **Mustermann**",
        "Mail address: erika@example.org",
        "novelty: of a newer edge",
    ]
    assert world.revealer.asked == [("shop:1", "someone", REASON)]
    assert any("Recorded in the audit log" in caption.value for caption in world.app.caption)


def test_the_dialog_announces_the_audit_record(world: World) -> None:
    world.open(Role.LEAD)
    world.press(OPEN)
    assert "are recorded in the audit log before anything is shown" in world.app.markdown[0].value
    assert world.revealer.asked == []


def test_the_fields_are_shown_once_and_never_stored(world: World) -> None:
    world.open(Role.LEAD)
    world.look()
    assert "Erika" not in world.kept()
    assert "4111" not in world.kept()
    world.app.run()
    assert world.texts() == []
    assert len(world.revealer.asked) == 1, "drawing the page anew is no second look"


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMIN])
def test_a_role_without_the_right_has_no_button(world: World, role: Role) -> None:
    world.open(role)
    assert not world.app.button


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMIN])
def test_an_open_dialog_closes_when_the_role_is_lost(world: World, role: Role) -> None:
    world.open(Role.LEAD)
    world.press(OPEN)
    world.open(role)
    assert not world.app.text_area


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMIN])
def test_the_query_itself_checks_the_role(world: World, role: Role) -> None:
    with pytest.raises(Forbidden):
        oversight.reveal(world.source, Person("someone", role), world.purchases[0], REASON)
    assert world.revealer.asked == []


def test_a_short_reason_reveals_nothing(world: World) -> None:
    world.open(Role.LEAD)
    world.look("because")
    assert "must have 10 to 500 characters" in world.app.error[0].value
    assert world.texts() == []
    assert world.revealer.asked == []
    world.app.text_area[0].input(REASON)
    world.press(LOOK)
    assert not world.app.error
    assert world.texts() != []


def test_an_erased_customer_shows_a_message(world: World) -> None:
    world.open(Role.LEAD)
    world.app.number_input[0].set_value(1).run()
    world.look()
    assert "was erased" in world.app.info[0].value
    assert world.texts() == []


def test_a_refusal_of_ingest_is_quoted(world: World) -> None:
    world.revealer.is_reachable = False
    world.open(Role.LEAD)
    world.look()
    assert "nothing was shown" in world.app.error[0].value
    assert world.texts() == []


def test_a_purchase_without_a_sealed_field_has_no_button(world: World) -> None:
    world.open(Role.LEAD)
    world.app.number_input[0].set_value(2).run()
    assert not world.app.button
    assert "no personal data to reveal" in world.app.caption[0].value


def test_another_case_opens_no_dialog(world: World) -> None:
    world.open(Role.LEAD)
    world.press(OPEN)
    world.app.number_input[0].set_value(1).run()
    assert not world.app.text_area
    world.app.number_input[0].set_value(0).run()
    assert not world.app.text_area
