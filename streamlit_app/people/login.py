"""Login of an account in one browser: its tabs share a session, and a reload continues it.

Each run checks session and account again, so that a logout in another tab, a closed account,
another role or another password takes effect at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import streamlit as st

from fraudwatch.application.console.access import Forbidden, Person, Right
from fraudwatch.application.console.access_log import AccessLog
from fraudwatch.application.console.account_rules import (
    LONGEST_PASSWORD,
    Account,
    AccountsUnavailable,
)
from fraudwatch.application.console.accounts import Accounts
from streamlit_app import metrics
from streamlit_app.people import access, session_cookie
from streamlit_app.people.single_sign_on import SingleSignOn, offer
from streamlit_app.people.throttle import LoginResult, Throttle

# How often an open page checks that its account may still read it.
WATCH_SECONDS = 3.0
TOO_SOON = "Too many failed logins. Wait a few seconds, then try again."
_SIGNED_IN_AS, _TOKEN = "signed_in_as", "session_token"
_ACCOUNTS, _ENDED = "declared_accounts", "session_was_ended"

logger = logging.getLogger(__name__)


def declare(accounts: Accounts) -> None:
    """Set the accounts that this session is checked against; a page in a test has none."""
    st.session_state[_ACCOUNTS] = accounts


def signed_in_as() -> Person | None:
    """Return the person logged in to this browser, with their current role, or None."""
    person: Person | None = st.session_state.get(_SIGNED_IN_AS)
    accounts: Accounts | None = st.session_state.get(_ACCOUNTS)
    if accounts is None:
        return person
    token: str | None = st.session_state.get(_TOKEN) or session_cookie.token()
    current = _current_person(accounts, token) if token else None
    if current is None:
        if person is not None:
            _clear()
            st.session_state[_ACCOUNTS], st.session_state[_ENDED] = accounts, True
        return None
    st.session_state[_SIGNED_IN_AS], st.session_state[_TOKEN] = current, token
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
    """Begin a session of this account; its cookie is set as soon as the page is drawn."""
    st.session_state[_SIGNED_IN_AS] = _person(account)
    accounts: Accounts | None = st.session_state.get(_ACCOUNTS)
    if accounts is None:
        return
    st.session_state[_TOKEN] = token = accounts.sessions.begin(account)
    session_cookie.set_soon(token)


def keep_signed_in(accounts: Accounts, account: Account) -> None:
    """Continue this session after its user chose another password."""
    accounts.sessions.renew(st.session_state[_TOKEN], account)


def sign_out() -> None:
    """End the session, in all tabs of this browser."""
    accounts: Accounts | None = st.session_state.get(_ACCOUNTS)
    token: str | None = st.session_state.get(_TOKEN)
    try:
        if accounts is not None and token is not None:
            accounts.sessions.end(token)
    except AccountsUnavailable as error:
        show_unavailable(error)
        return
    _clear()


def _clear() -> None:
    log = access.log_of_session()
    st.session_state.clear()
    access.declare(log)


def show(accounts: Accounts) -> None:
    """Draw the login form; a login opens the requested page."""
    _, middle, _ = st.columns([1, 1.2, 1])
    with middle:
        st.title("Fraudwatch", anchor=False)
        st.caption("Suspicious purchases, a second or two after they are made.")
        if st.session_state.get(_ENDED):
            st.warning(
                "You were logged out: you did nothing for a while, or logged out in another tab, "
                "or your account was closed or its password changed. Log in again, or ask an "
                "admin."
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
        if offer.single_sign_on is not None:
            st.button("Log in with single sign-on", on_click=st.login, width="stretch")
            _log_in_by_provider(accounts, offer.single_sign_on)


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
    if result is LoginResult.WRONG and accounts.store.find(login):
        _record(lambda log: log.login_refused(login))
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
        if account is not None:
            _record(lambda log: log.logged_in(_person(account), "by password"))
            sign_in(account)
    except AccountsUnavailable as error:
        show_unavailable(error)
        return
    if account is not None:
        st.session_state.pop(_ENDED, None)
        st.rerun()
    if result is LoginResult.WRONG:
        st.error("User name or password is wrong.")
    else:
        st.warning(TOO_SOON)


def _log_in_by_provider(accounts: Accounts, provider: SingleSignOn) -> None:
    identity = provider.new_identity()
    if identity is None:
        return
    try:
        account = accounts.open_account(identity.login)
        if account is not None:
            _record(lambda log: log.logged_in(_person(account), "by single sign-on"))
            sign_in(account)
    except AccountsUnavailable as error:
        show_unavailable(error)
        return
    if account is not None:
        st.session_state.pop(_ENDED, None)
        st.rerun()
    metrics.count_refused_login("no_account")
    st.error(
        f"The provider knows you as {identity.login}, but there is no open account of that name "
        "here. Ask an admin to add it."
    )


def _record(note: Callable[[AccessLog], None]) -> None:
    """Record an access; one that cannot be recorded is not given."""
    log = access.log_of_session()
    if log is None:
        return
    try:
        note(log)
    except OSError:
        logger.exception("the access log cannot be written")
        st.error(access.NOT_RECORDED)
        st.stop()


def _person(account: Account) -> Person:
    return Person(account.login, account.role)


def _current_person(accounts: Accounts, token: str) -> Person | None:
    try:
        session = accounts.sessions.find(token)
        if session is None:
            return None
        return accounts.validate_session(session.login, session.password_changes)
    except AccountsUnavailable as error:
        show_unavailable(error)
        st.stop()


@st.cache_resource(show_spinner=False)
def _throttle() -> Throttle:
    return Throttle()
