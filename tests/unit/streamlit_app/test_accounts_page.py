"""Accounts page by role: rights, actions, and their audit records."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fraudwatch.adapters.memory.accounts import MemoryAccountStore
from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.console.access import Role
from fraudwatch.application.console.accounts import Accounts, Actor
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.messages.audit import AuditAction, AuditRecord
from streamlit_app.console_services import ServiceSource
from tests.unit.streamlit_app.conftest import PASSWORDS, memory_accounts, memory_services

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
WHY = "a new colleague, asked for by the lead"


# AppTest runs a function's source alone, where no import of this module is known: hence quotes.
def page(source: "ServiceSource", accounts: "Accounts", log: "Log", role: str) -> None:  # noqa: UP037
    from streamlit_app.people import accounts as screen
    from streamlit_app.people import login

    login.declare(accounts)
    if role and "began" not in login.st.session_state:
        login.st.session_state["began"] = True
        account = accounts.store.find(role)
        assert account is not None
        login.sign_in(account)
    screen.show(source, accounts, lambda: log)


@dataclass
class Log:
    records: list[AuditRecord] = field(default_factory=list)
    is_down: bool = False

    def write(self, record: AuditRecord) -> None:
        if self.is_down:
            raise NotDelivered
        self.records.append(record)

    def last(self) -> tuple[AuditAction, str | None, str, str]:
        one = self.records[-1]
        return one.deed, one.account, one.by, one.reason


@dataclass
class AccountsWorld:
    accounts: Accounts
    source: ServiceSource
    log: Log = field(default_factory=Log)

    def opened_by(self, role: str) -> AppTest:
        args = (self.source, self.accounts, self.log, role)
        return AppTest.from_function(page, args=args, default_timeout=30).run()

    def roles(self) -> dict[str, str]:
        return {one.login: one.role for one in self.accounts.list_accounts() if one.is_open}


@pytest.fixture
def world() -> AccountsWorld:
    st.cache_resource.clear()
    st.cache_data.clear()
    store = MemoryVerdictStore()
    source = ServiceSource(
        open_services=lambda: memory_services(store, lambda: NOW), clock=lambda: NOW
    )
    return AccountsWorld(memory_accounts(lambda: NOW), source)


def add(app: AppTest, login: str, role: Role, why: str = WHY) -> AppTest:
    app.text_input("accounts_login").input(login)
    app.selectbox("accounts_role").set_value(role)
    app.text_input("accounts_reason").input(why)
    return next(button for button in app.button if button.label == "Add").click().run()


def change(
    app: AppTest, login: str, action: str, why: str = WHY, role: Role | None = None
) -> AppTest:
    app.selectbox("accounts_chosen").set_value(login).run()
    app.radio("accounts_action").set_value(action).run()
    if role:
        app.selectbox("accounts_other_role").set_value(role)
    app.text_input("accounts_change_reason").input(why)
    app = app.button("accounts_change").click().run()
    assert not app.exception
    return app


@pytest.mark.parametrize("role", [Role.ANALYST, Role.LEAD])
def test_the_page_itself_refuses_other_roles(world: AccountsWorld, role: Role) -> None:
    app = world.opened_by(role)
    assert f"is {role} and may not accounts" in app.error[0].value
    assert not app.dataframe
    assert not app.button


def test_the_page_itself_shows_nothing_without_login(world: AccountsWorld) -> None:
    app = world.opened_by("")
    assert not app.dataframe
    assert not app.button
    assert not app.error


def test_an_admin_sees_all_accounts(world: AccountsWorld) -> None:
    world.accounts.close(Actor("admin", lambda *_: None), "lead")
    listed = world.opened_by("admin").dataframe[0].value
    assert list(listed["login"]) == ["admin", "analyst", "lead"]
    assert list(listed["state"]) == ["open", "open", "closed"]
    assert list(listed["by"]) == ["first-start", "first-start", "admin"]


def test_an_added_account_logs_in_with_the_password_that_is_shown_once(
    world: AccountsWorld,
) -> None:
    app = add(world.opened_by("admin"), "lina", Role.LEAD)
    password = app.code[0].value
    made = world.accounts.check("lina", password)
    assert made is not None
    assert (made.role, made.changed_by) == (Role.LEAD, "admin")
    assert world.log.last() == (AuditAction.ACCOUNT_MADE, "lina", "admin", WHY)
    assert "lina" in list(app.dataframe[0].value["login"])
    assert app.text_input("accounts_login").value == ""
    app.run()
    assert not app.code
    assert password not in repr(world.log.records)
    assert password not in repr(app.session_state)


def test_every_action_is_done_and_recorded(world: AccountsWorld) -> None:
    app = world.opened_by("admin")
    change(app, "analyst", "Change role", role=Role.LEAD)
    assert world.log.last() == (AuditAction.ROLE_CHANGED, "analyst", "admin", WHY)
    assert world.roles()["analyst"] == Role.LEAD
    change(app, "analyst", "Close")
    assert world.log.last() == (AuditAction.ACCOUNT_CLOSED, "analyst", "admin", WHY)
    assert "analyst" not in world.roles()
    change(app, "analyst", "Reopen")
    assert world.log.last() == (AuditAction.ACCOUNT_OPENED, "analyst", "admin", WHY)
    assert world.accounts.check("analyst", PASSWORDS[Role.ANALYST])
    change(app, "analyst", "Reset password")
    assert world.log.last() == (AuditAction.PASSWORD_RESET, "analyst", "admin", WHY)
    assert world.accounts.check("analyst", app.code[0].value)
    assert len({one.record_id for one in world.log.records}) == 4


@pytest.mark.parametrize("why", ["", "because", "         .          "])
def test_nothing_is_done_without_a_reason(world: AccountsWorld, why: str) -> None:
    app = world.opened_by("admin")
    assert "Give a reason" in change(app, "lead", "Close", why).error[0].value
    assert "Give a reason" in add(app, "lina", Role.LEAD, why).error[0].value
    assert set(world.roles()) == {"admin", "analyst", "lead"}
    assert world.log.records == []


def test_nothing_is_done_that_cannot_be_recorded(world: AccountsWorld) -> None:
    world.log.is_down = True
    app = world.opened_by("admin")
    before = world.accounts.list_accounts()
    for action in ("Change role", "Reset password", "Close"):
        assert "Nothing was changed" in change(app, "lead", action).error[0].value
    assert "Nothing was changed" in add(app, "lina", Role.LEAD).error[0].value
    assert not app.code
    assert world.accounts.list_accounts() == before
    assert app.text_input("accounts_login").value == "lina"


def test_a_refused_action_is_reported_and_not_recorded(world: AccountsWorld) -> None:
    app = world.opened_by("admin")
    assert "No open admin" in change(app, "admin", "Close").error[0].value
    assert "already" in add(app, "lead", Role.LEAD).error[0].value
    assert "2 to 32 characters" in add(app, "Lina!", Role.LEAD).error[0].value
    assert world.log.records == []


def test_an_admin_who_lost_the_role_changes_nothing(world: AccountsWorld) -> None:
    actor = Actor("second", lambda *_: None)
    world.accounts.make(actor, "second", Role.ADMIN)
    app = world.opened_by("admin")
    app.selectbox("accounts_chosen").set_value("lead").run()
    app.radio("accounts_action").set_value("Close").run()
    app.text_input("accounts_change_reason").input(WHY)
    world.accounts.change_role(actor, "admin", Role.ANALYST)
    app.button("accounts_change").click().run()
    assert "lead" in world.roles()
    assert world.log.records == []
    assert "may not accounts" in app.error[0].value


def test_unavailable_accounts_are_reported(world: AccountsWorld) -> None:
    app = world.opened_by("admin")
    store = world.accounts.store
    assert isinstance(store, MemoryAccountStore)
    store.is_reachable = False
    app.run()
    assert "cannot be read now" in app.error[0].value
    assert not app.dataframe
    assert not app.exception
