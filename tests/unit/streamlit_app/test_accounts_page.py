"""The accounts' page by role: who may, what is done, and that nothing is done unseen."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fraudwatch.adapters.memory import MemoryVerdictStore
from fraudwatch.adapters.memory_accounts import MemoryAccountStore
from fraudwatch.application.access import Role
from fraudwatch.application.accounts import Accounts, Doer
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.audit import AuditRecord, Deed
from streamlit_app.desk import Source
from tests.unit.streamlit_app.conftest import PASSWORDS, memory_accounts, memory_desk

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
WHY = "a new colleague, says the lead"


# AppTest runs a function's source alone, where no import of this module is known: hence quotes.
def page(source: "Source", accounts: "Accounts", log: "Log", role: str) -> None:  # noqa: UP037
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

    def last(self) -> tuple[Deed, str | None, str, str]:
        one = self.records[-1]
        return one.deed, one.account, one.by, one.reason


@dataclass
class Office:
    accounts: Accounts
    source: Source
    log: Log = field(default_factory=Log)

    def opened_by(self, role: str) -> AppTest:
        args = (self.source, self.accounts, self.log, role)
        return AppTest.from_function(page, args=args, default_timeout=30).run()

    def roles(self) -> dict[str, str]:
        return {one.login: one.role for one in self.accounts.everybody() if one.is_open}


@pytest.fixture
def office() -> Office:
    st.cache_resource.clear()
    st.cache_data.clear()
    store = MemoryVerdictStore()
    source = Source(open_desk=lambda: memory_desk(store, lambda: NOW), clock=lambda: NOW)
    return Office(memory_accounts(lambda: NOW), source)


def add(app: AppTest, login: str, role: Role, why: str = WHY) -> AppTest:
    app.text_input("accounts_login").input(login)
    app.selectbox("accounts_role").set_value(role)
    app.text_input("accounts_reason").input(why)
    return next(button for button in app.button if button.label == "Add").click().run()


def change(
    app: AppTest, login: str, deed: str, why: str = WHY, role: Role | None = None
) -> AppTest:
    app.selectbox("accounts_chosen").set_value(login).run()
    app.radio("accounts_deed").set_value(deed).run()
    if role:
        app.selectbox("accounts_other_role").set_value(role)
    app.text_input("accounts_change_reason").input(why)
    app = app.button("accounts_change").click().run()
    assert not app.exception
    return app


@pytest.mark.parametrize("role", [Role.ANALYST, Role.LEAD])
def test_the_page_itself_refuses_who_is_no_admin(office: Office, role: Role) -> None:
    app = office.opened_by(role)
    assert f"is {role} and may not accounts" in app.error[0].value
    assert not app.dataframe
    assert not app.button


def test_the_page_itself_shows_nothing_to_a_stranger(office: Office) -> None:
    app = office.opened_by("")
    assert not app.dataframe
    assert not app.button
    assert not app.error


def test_an_admin_sees_everybody(office: Office) -> None:
    office.accounts.close(Doer("admin", lambda *_: None), "lead")
    listed = office.opened_by("admin").dataframe[0].value
    assert list(listed["login"]) == ["admin", "analyst", "lead"]
    assert list(listed["state"]) == ["open", "open", "closed"]
    assert list(listed["by"]) == ["first-start", "first-start", "admin"]


def test_an_added_account_logs_in_with_the_password_that_is_shown_once(office: Office) -> None:
    app = add(office.opened_by("admin"), "lina", Role.LEAD)
    password = app.code[0].value
    made = office.accounts.check("lina", password)
    assert made is not None
    assert (made.role, made.changed_by) == (Role.LEAD, "admin")
    assert office.log.last() == (Deed.ACCOUNT_MADE, "lina", "admin", WHY)
    assert "lina" in list(app.dataframe[0].value["login"])
    assert app.text_input("accounts_login").value == ""
    app.run()
    assert not app.code
    assert password not in repr(office.log.records)
    assert password not in repr(app.session_state)


def test_every_deed_is_done_and_on_the_log(office: Office) -> None:
    app = office.opened_by("admin")
    change(app, "analyst", "Change role", role=Role.LEAD)
    assert office.log.last() == (Deed.ROLE_CHANGED, "analyst", "admin", WHY)
    assert office.roles()["analyst"] == Role.LEAD
    change(app, "analyst", "Close")
    assert office.log.last() == (Deed.ACCOUNT_CLOSED, "analyst", "admin", WHY)
    assert "analyst" not in office.roles()
    change(app, "analyst", "Open again")
    assert office.log.last() == (Deed.ACCOUNT_OPENED, "analyst", "admin", WHY)
    assert office.accounts.check("analyst", PASSWORDS[Role.ANALYST])
    change(app, "analyst", "Reset password")
    assert office.log.last() == (Deed.PASSWORD_RESET, "analyst", "admin", WHY)
    assert office.accounts.check("analyst", app.code[0].value)
    assert len({one.record_id for one in office.log.records}) == 4


@pytest.mark.parametrize("why", ["", "because", "         .          "])
def test_nothing_is_done_without_a_reason(office: Office, why: str) -> None:
    app = office.opened_by("admin")
    assert "Say why" in change(app, "lead", "Close", why).error[0].value
    assert "Say why" in add(app, "lina", Role.LEAD, why).error[0].value
    assert set(office.roles()) == {"admin", "analyst", "lead"}
    assert office.log.records == []


def test_nothing_is_done_that_cannot_be_written_down(office: Office) -> None:
    office.log.is_down = True
    app = office.opened_by("admin")
    before = office.accounts.everybody()
    for deed in ("Change role", "Reset password", "Close"):
        assert "Nothing was changed" in change(app, "lead", deed).error[0].value
    assert "Nothing was changed" in add(app, "lina", Role.LEAD).error[0].value
    assert not app.code
    assert office.accounts.everybody() == before
    assert app.text_input("accounts_login").value == "lina"


def test_a_rule_that_is_broken_is_told_and_not_on_the_log(office: Office) -> None:
    app = office.opened_by("admin")
    assert "No open admin" in change(app, "admin", "Close").error[0].value
    assert "already" in add(app, "lead", Role.LEAD).error[0].value
    assert "2 to 32 characters" in add(app, "Lina!", Role.LEAD).error[0].value
    assert office.log.records == []


def test_an_admin_who_is_none_any_more_does_nothing_more(office: Office) -> None:
    somebody = Doer("second", lambda *_: None)
    office.accounts.make(somebody, "second", Role.ADMIN)
    app = office.opened_by("admin")
    app.selectbox("accounts_chosen").set_value("lead").run()
    app.radio("accounts_deed").set_value("Close").run()
    app.text_input("accounts_change_reason").input(WHY)
    office.accounts.change_role(somebody, "admin", Role.ANALYST)
    app.button("accounts_change").click().run()
    assert "lead" in office.roles()
    assert office.log.records == []
    assert "may not accounts" in app.error[0].value


def test_accounts_that_do_not_answer_are_told(office: Office) -> None:
    app = office.opened_by("admin")
    store = office.accounts.store
    assert isinstance(store, MemoryAccountStore)
    store.is_reachable = False
    app.run()
    assert "cannot be read now" in app.error[0].value
    assert not app.dataframe
    assert not app.exception
