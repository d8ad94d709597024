"""Who gets in, as what, and who is put out again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fraudwatch.adapters.memory import MemoryVerdictStore
from fraudwatch.adapters.memory_accounts import MemoryAccountStore
from fraudwatch.application.access import Role
from fraudwatch.application.accounts import Accounts, Doer
from streamlit_app.desk import Source
from streamlit_app.people import login
from streamlit_app.people.throttle import Throttle
from tests.unit.streamlit_app.conftest import PASSWORDS, memory_accounts, memory_desk

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
SOMEBODY = Doer("admin", lambda *_: None)
ANALYST = PASSWORDS[Role.ANALYST]


# AppTest runs a function's source alone, where no import of this module is known: hence quotes.
def console(source: "Source", accounts: "Accounts") -> None:  # noqa: UP037
    from fraudwatch.adapters.memory_casework import MemoryAudit
    from streamlit_app.app import main

    main(source, accounts, MemoryAudit)


@dataclass
class Console:
    accounts: Accounts
    source: Source
    seconds: float = 0.0

    def opened(self) -> AppTest:
        args = (self.source, self.accounts)
        return AppTest.from_function(console, args=args, default_timeout=30).run()

    def logged_in(self, role: Role = Role.ANALYST) -> AppTest:
        return log_in(self.opened(), role.value, PASSWORDS[role])


def log_in(app: AppTest, name: str, password: str) -> AppTest:
    app.text_input[0].input(name)
    app.text_input[1].input(password)
    return app.button[0].click().run()


def is_in(app: AppTest) -> bool:
    assert not app.exception
    return bool(app.metric)


def press(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Console:
    st.cache_resource.clear()
    st.cache_data.clear()
    store = MemoryVerdictStore()
    source = Source(open_desk=lambda: memory_desk(store, lambda: NOW), clock=lambda: NOW)
    console = Console(memory_accounts(lambda: NOW), source)
    throttle = Throttle(lambda: console.seconds)
    monkeypatch.setattr(login, "_throttle", lambda: throttle)
    return console


@pytest.mark.parametrize("role", Role)
def test_each_role_logs_in_and_is_called_by_it(made: Console, role: Role) -> None:
    app = made.logged_in(role)
    assert is_in(app)
    assert f"{role} ({role})" in [text.value for text in app.text]


@pytest.mark.parametrize("name", ["Analyst", " analyst ", "ANALYST"])
def test_a_name_that_a_phone_has_changed_is_the_same_name(made: Console, name: str) -> None:
    assert is_in(log_in(made.opened(), name, ANALYST))


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("analyst", "wrong"),
        ("analyst", ""),
        ("analyst", ANALYST.lower()),
        ("admin", ANALYST),
        ("nobody", ANALYST),
        ("", ""),
        ("analyst", "ünicode"),
    ],
)
def test_a_wrong_login_is_refused_without_saying_which_part(
    made: Console, name: str, password: str
) -> None:
    app = log_in(made.opened(), name, password)
    assert [error.value for error in app.error] == ["User name or password is wrong."]
    assert not is_in(app)


def test_a_closed_account_is_refused_like_a_wrong_one(made: Console) -> None:
    made.accounts.close(SOMEBODY, "analyst")
    app = made.logged_in()
    assert [error.value for error in app.error] == ["User name or password is wrong."]


def test_a_try_right_after_a_wrong_one_has_to_wait_in_another_session_too(made: Console) -> None:
    log_in(made.opened(), "analyst", "wrong")
    app = made.logged_in()
    assert app.warning[0].value == login.TOO_SOON
    made.seconds += 0.5
    assert is_in(log_in(app, "analyst", ANALYST))


def close(accounts: Accounts) -> None:
    accounts.close(SOMEBODY, "analyst")


def reset(accounts: Accounts) -> None:
    accounts.reset_password(SOMEBODY, "analyst")


@pytest.mark.parametrize("deed", [close, reset])
def test_who_was_closed_or_reset_is_out_with_the_next_look(
    made: Console, deed: Callable[[Accounts], None]
) -> None:
    app, other = made.logged_in(), made.logged_in(Role.LEAD)
    deed(made.accounts)
    app.run()
    assert not is_in(app)
    assert "You were logged out" in app.warning[0].value
    assert is_in(other.run())


def test_a_changed_role_acts_at_once(made: Console) -> None:
    app = made.logged_in(Role.LEAD)
    made.accounts.change_role(SOMEBODY, "lead", Role.ANALYST)
    app.run()
    assert "lead (analyst)" in [text.value for text in app.text]


def test_a_page_asks_again_by_itself(made: Console) -> None:
    """A fragment runs without the page around it."""

    def page(accounts: "Accounts") -> None:  # noqa: UP037
        from fraudwatch.application.access import Person, Right, Role
        from streamlit_app.people import login

        login.declare(accounts)
        if "began" not in login.st.session_state:
            login.st.session_state["began"] = True
            account = accounts.store.find("lead")
            assert account is not None
            login.sign_in(account)
        person = login.require(Right.REVEAL)
        assert person == Person("lead", Role.LEAD)
        login.st.text("behind the token")

    app = AppTest.from_function(page, args=(made.accounts,)).run()
    assert [text.value for text in app.text] == ["behind the token"]
    made.accounts.change_role(SOMEBODY, "lead", Role.ANALYST)
    app.run()
    assert not app.text
    assert "may not reveal" in app.error[0].value


def test_where_a_link_leads_is_kept_through_the_login(made: Console) -> None:
    app = AppTest.from_function(console, args=(made.source, made.accounts), default_timeout=30)
    app.query_params["risk"] = "CRITICAL"
    app.run()
    log_in(app, "analyst", ANALYST)
    assert is_in(app)
    assert app.query_params["risk"] == "CRITICAL"


def test_accounts_that_do_not_answer_are_told_and_let_nobody_in_or_on(made: Console) -> None:
    app, waiting = made.logged_in(), made.opened()
    store = made.accounts.store
    assert isinstance(store, MemoryAccountStore)
    store.is_reachable = False
    for shown in (app.run(), log_in(waiting, "analyst", ANALYST)):
        assert "The accounts cannot be read now" in shown.error[0].value
        assert not is_in(shown)
    store.is_reachable = True
    assert is_in(app.run())


def change_password(app: AppTest, current: str, chosen: str, again: str | None = None) -> AppTest:
    press(app, "Change password")
    fields = {field.label: field for field in app.text_input}
    fields["Password now"].input(current)
    fields["New password"].input(chosen)
    fields["New password again"].input(chosen if again is None else again)
    return press(app, "Change")


@pytest.mark.parametrize("role", Role)
def test_everybody_changes_their_own_password_and_stays_in(made: Console, role: Role) -> None:
    app, elsewhere = made.logged_in(role), made.logged_in(role)
    change_password(app, PASSWORDS[role], "three plain words")
    assert [told.value for told in app.success] == ["Your password is changed."]
    assert is_in(app.run())
    assert not is_in(elsewhere.run())
    assert is_in(log_in(made.opened(), role, "three plain words"))


@pytest.mark.parametrize(
    ("current", "chosen", "again", "reason"),
    [
        (ANALYST, "elevenchars", None, "is shorter than 12 characters"),
        (ANALYST, "fraudwatchfraudwatch", None, "is a known default"),
        (ANALYST, "the-analyst-words", None, "holds your user name"),
        (ANALYST, "three plain words", "three plain word", "passwords differ"),
        ("wrong", "three plain words", None, "is not this one"),
    ],
)
def test_a_password_that_may_not_be_is_refused_with_the_reason(
    made: Console, current: str, chosen: str, again: str | None, reason: str
) -> None:
    app = change_password(made.logged_in(), current, chosen, again)
    assert reason in app.error[0].value
    assert chosen not in app.error[0].value
    assert made.accounts.check("analyst", ANALYST)


def test_guessing_the_password_of_an_open_session_is_as_slow(made: Console) -> None:
    app = change_password(made.logged_in(), "wrong", "three plain words")
    press(app, "Change")
    assert app.error[0].value == login.TOO_SOON
