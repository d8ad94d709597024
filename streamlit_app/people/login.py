"""Login of an account for one browser session.

Each run checks the account again, so that a closed account, another role or another password takes
effect at once.
"""

from __future__ import annotations

import logging

import streamlit as st

from fraudwatch.application.console.access import Forbidden, Person, Right
from fraudwatch.application.console.account_rules import (
    LONGEST_PASSWORD,
    Account,
    AccountsUnavailable,
)
from fraudwatch.application.console.accounts import Accounts
from streamlit_app import metrics
from streamlit_app.people.throttle import LoginResult, Throttle

# How often an open page checks that its account may still read it.
WATCH_SECONDS = 3.0
TOO_SOON = "Too many failed logins. Wait a few seconds, then try again."
_SIGNED_IN_AS, _PASSWORD_CHANGES = "signed_in_as", "signed_in_after_password_changes"
_ACCOUNTS, _ENDED = "declared_accounts", "session_was_ended"

logger = logging.getLogger(__name__)


def declare(accounts: Accounts) -> None:
    """Set the accounts that this session is checked against; a page in a test has none."""
    st.session_state[_ACCOUNTS] = accounts


def signed_in_as() -> Person | None:
    """Return the person logged in to this session, with their current role, or None."""
    person: Person | None = st.session_state.get(_SIGNED_IN_AS)
    accounts: Accounts | None = st.session_state.get(_ACCOUNTS)
    if person is None or accounts is None:
        return person
    current = _current_person(accounts, person)
    if current is None:
        sign_out()
        st.session_state[_ACCOUNTS], st.session_state[_ENDED] = accounts, True
        return None
    st.session_state[_SIGNED_IN_AS] = current
    return current


def require(right: Right) -> Person:
    """Return the person logged in if their role has the right; else stop the page with an error.

    Hiding a page in the menu protects nothing.
    """
    person = signed_in_as()
    if person is None:
        st.stop()
    try:
        person.require(right)
    except Forbidden as error:
        st.error(str(error))
        st.stop()
    return person


@st.fragment(run_every=WATCH_SECONDS)
def watch(shown_person: Person) -> None:
    """Rerun the page when the login has ended or its role has changed."""
    if signed_in_as() != shown_person:
        st.rerun()


def sign_in(account: Account) -> None:
    """Log this browser session in as this account."""
    st.session_state[_SIGNED_IN_AS] = Person(account.login, account.role)
    st.session_state[_PASSWORD_CHANGES] = account.password_changes


def sign_out() -> None:
    """Clear this browser session."""
    st.session_state.clear()


def show(accounts: Accounts) -> None:
    """Draw the login form; a login opens the requested page."""
    _, middle, _ = st.columns([1, 1.2, 1])
    with middle:
        st.title("Fraudwatch", anchor=False)
        st.caption("Suspicious purchases, a second or two after they are made.")
        if st.session_state.get(_ENDED):
            st.warning(
                "You were logged out: your account was closed or its password was changed. Log in "
                "again, or ask an admin."
            )
        with st.form("login"):
            name = st.text_input("User name", autocomplete="username", max_chars=64)
            password = st.text_input(
                "Password",
                type="password",
                autocomplete="current-password",
                max_chars=LONGEST_PASSWORD,
            )
            is_sent = st.form_submit_button("Log in", type="primary", width="stretch")
        if is_sent:
            _log_in(accounts, name, password)


def attempt_login(
    accounts: Accounts, login: str, password: str
) -> tuple[LoginResult, Account | None]:
    """Check one login attempt, throttled; return the account if it is accepted.

    Raises:
        AccountsUnavailable: the accounts cannot be read.
    """
    found: list[Account] = []

    def is_right() -> bool:
        account = accounts.check(login, password)
        found.extend([account] if account else [])
        return account is not None

    result = _throttle().attempt(login, is_right)
    if result is not LoginResult.ACCEPTED:
        metrics.count_refused_login("wrong" if result is LoginResult.WRONG else "too_soon")
    return result, found[0] if found else None


def show_unavailable(error: AccountsUnavailable) -> None:
    """Show that accounts are unavailable; the file's path goes to the log only."""
    logger.error("%s", error)
    st.error(
        "Login is not possible: the accounts cannot be read now. Ask the operator to look at "
        "`./fraudwatch logs console`."
    )


def _log_in(accounts: Accounts, name: str, password: str) -> None:
    try:
        # A phone starts a word with a capital letter and ends it with a space.
        result, account = attempt_login(accounts, name.strip().lower(), password)
    except AccountsUnavailable as error:
        show_unavailable(error)
        return
    if account is not None:
        st.session_state.pop(_ENDED, None)
        sign_in(account)
        st.rerun()
    if result is LoginResult.WRONG:
        st.error("User name or password is wrong.")
    else:
        st.warning(TOO_SOON)


def _current_person(accounts: Accounts, person: Person) -> Person | None:
    changes: int = st.session_state.get(_PASSWORD_CHANGES, -1)
    try:
        return accounts.validate_session(person.login, changes)
    except AccountsUnavailable as error:
        show_unavailable(error)
        st.stop()


@st.cache_resource(show_spinner=False)
def _throttle() -> Throttle:
    return Throttle()
