"""Login: accepted and refused attempts, roles, and ended sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fraudwatch.adapters.memory.accounts import MemoryAccountStore
from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.console.access import Role
from fraudwatch.application.console.access_log import AccessLog
from fraudwatch.application.console.accounts import Accounts, Actor
from fraudwatch.domain.messages.audit import AuditAction, AuditRecord
from streamlit_app.console_services import ServiceSource
from streamlit_app.people import login
from streamlit_app.people.throttle import Throttle
from tests.unit.streamlit_app.conftest import PASSWORDS, memory_accounts, memory_services

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
ACTOR = Actor("admin", lambda *_: None)
ANALYST = PASSWORDS[Role.ANALYST]


# AppTest runs a function's source alone, where no import of this module is known: hence quotes.
def console(source: "ServiceSource", accounts: "Accounts") -> None:  # noqa: UP037
    from fraudwatch.adapters.memory.casework import MemoryAudit
    from streamlit_app.app import main

    main(source, accounts, MemoryAudit)


@dataclass
class Console:
    accounts: Accounts
    source: ServiceSource
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
    source = ServiceSource(
        open_services=lambda: memory_services(store, lambda: NOW), clock=lambda: NOW
    )
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
    made.accounts.close(ACTOR, "analyst")
    app = made.logged_in()
    assert [error.value for error in app.error] == ["User name or password is wrong."]


def test_a_try_right_after_a_wrong_one_has_to_wait_in_another_session_too(made: Console) -> None:
    log_in(made.opened(), "analyst", "wrong")
    app = made.logged_in()
    assert app.warning[0].value == login.TOO_SOON
    made.seconds += 0.5
    assert is_in(log_in(app, "analyst", ANALYST))


def close(accounts: Accounts) -> None:
    accounts.close(ACTOR, "analyst")


def reset(accounts: Accounts) -> None:
    accounts.reset_password(ACTOR, "analyst")


@pytest.mark.parametrize("change", [close, reset])
def test_a_closed_or_reset_account_is_logged_out_at_the_next_run(
    made: Console, change: Callable[[Accounts], None]
) -> None:
    app, other = made.logged_in(), made.logged_in(Role.LEAD)
    change(made.accounts)
    app.run()
    assert not is_in(app)
    assert "You were logged out" in app.warning[0].value
    assert is_in(other.run())


def test_a_changed_role_takes_effect_at_once(made: Console) -> None:
    app = made.logged_in(Role.LEAD)
    made.accounts.change_role(ACTOR, "lead", Role.ANALYST)
    app.run()
    assert "lead (analyst)" in [text.value for text in app.text]


def test_a_page_checks_the_account_by_itself(made: Console) -> None:
    """A fragment runs without the page around it."""

    def page(accounts: "Accounts") -> None:  # noqa: UP037
        from fraudwatch.application.console.access import Person, Right, Role
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
    made.accounts.change_role(ACTOR, "lead", Role.ANALYST)
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


def test_unavailable_accounts_are_reported_and_block_login(made: Console) -> None:
    app, waiting = made.logged_in(), made.opened()
    store = made.accounts.store
    assert isinstance(store, MemoryAccountStore)
    store.is_reachable = False
    for shown in (app.run(), log_in(waiting, "analyst", ANALYST)):
        assert "the accounts cannot be read now" in shown.error[0].value
        assert not is_in(shown)
    store.is_reachable = True
    assert is_in(app.run())


def change_password(
    app: AppTest, current: str, chosen: str, repeated: str | None = None
) -> AppTest:
    press(app, "Change password")
    fields = {field.label: field for field in app.text_input}
    fields["Current password"].input(current)
    fields["New password"].input(chosen)
    fields["Repeat the new password"].input(chosen if repeated is None else repeated)
    return press(app, "Change")


@pytest.mark.parametrize("role", Role)
def test_every_role_changes_its_own_password_and_stays_logged_in(made: Console, role: Role) -> None:
    app, other_session = made.logged_in(role), made.logged_in(role)
    change_password(app, PASSWORDS[role], "three plain words")
    assert [one.value for one in app.success] == ["Your password was changed."]
    assert is_in(app.run())
    assert not is_in(other_session.run())
    assert is_in(log_in(made.opened(), role, "three plain words"))


@pytest.mark.parametrize(
    ("current", "chosen", "repeated", "reason"),
    [
        (ANALYST, "elevenchars", None, "is shorter than 12 characters"),
        (ANALYST, "fraudwatchfraudwatch", None, "is a known default"),
        (ANALYST, "the-analyst-words", None, "contains your user name"),
        (ANALYST, "three plain words", "three plain word", "passwords differ"),
        ("wrong", "three plain words", None, "current password is wrong"),
    ],
)
def test_an_invalid_password_is_refused_with_the_reason(
    made: Console, current: str, chosen: str, repeated: str | None, reason: str
) -> None:
    app = change_password(made.logged_in(), current, chosen, repeated)
    assert reason in app.error[0].value
    assert chosen not in app.error[0].value
    assert made.accounts.check("analyst", ANALYST)


def test_guessing_the_password_of_an_open_session_is_as_slow(made: Console) -> None:
    app = change_password(made.logged_in(), "wrong", "three plain words")
    press(app, "Change")
    assert app.error[0].value == login.TOO_SOON


class Kept:
    """Keeps audit records in a list; a full disk keeps none."""

    def __init__(self) -> None:
        self.records: list[AuditRecord] = []
        self.is_full = False

    def note(self, record: AuditRecord) -> None:
        if self.is_full:
            raise OSError("no space left on device")
        self.records.append(record)


def recorded_console(
    source: "ServiceSource",  # noqa: UP037
    accounts: "Accounts",  # noqa: UP037
    log: "AccessLog",  # noqa: UP037
) -> None:
    from fraudwatch.adapters.memory.casework import MemoryAudit
    from streamlit_app.app import main

    main(source, accounts, MemoryAudit, log)


def test_logins_and_refused_ones_of_existing_accounts_are_recorded(made: Console) -> None:
    kept = Kept()
    log = AccessLog(kept, lambda: 1_772_000_000_000)
    args = (made.source, made.accounts, log)
    app = AppTest.from_function(recorded_console, args=args, default_timeout=30).run()
    log_in(app, "analyst", "wrong-password-77")
    made.seconds = 10
    log_in(app, "my-password-by-mistake", ANALYST)
    made.seconds = 20
    log_in(app, "analyst", ANALYST)
    assert is_in(app)
    assert [(one.deed, one.by, one.subject) for one in kept.records] == [
        (AuditAction.LOGIN_REFUSED, "analyst", None),
        (AuditAction.LOGGED_IN, "analyst", "by password"),
    ]


def test_a_login_that_cannot_be_recorded_is_not_given(made: Console) -> None:
    kept = Kept()
    kept.is_full = True
    args = (made.source, made.accounts, AccessLog(kept, lambda: 1_772_000_000_000))
    app = AppTest.from_function(recorded_console, args=args, default_timeout=30).run()
    log_in(app, "analyst", ANALYST)
    assert not is_in(app)
    assert "cannot be recorded" in app.error[0].value
    assert not is_in(app.run())
