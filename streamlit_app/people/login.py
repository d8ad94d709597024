"""Who may look: an account of the console, for the length of a browser session.

Each look asks the accounts again, so that one that was closed, or got another role or password,
acts at once and not only when somebody logs out.
"""

from __future__ import annotations

import logging

import streamlit as st

from fraudwatch.application.access import Forbidden, Person, Right
from fraudwatch.application.account_rules import LONGEST_PASSWORD, Account, AccountsUnavailable
from fraudwatch.application.accounts import Accounts
from streamlit_app import metrics
from streamlit_app.people.throttle import Answer, Throttle

# How often an open page asks whether its reader still may read it.
WATCH_SECONDS = 3.0
TOO_SOON = "Too many failed tries. Wait a few seconds, then try again."
_SIGNED_IN_AS, _PASSWORD_CHANGES = "signed_in_as", "signed_in_after_password_changes"
_ACCOUNTS, _ENDED = "declared_accounts", "session_was_ended"

logger = logging.getLogger(__name__)


def declare(accounts: Accounts) -> None:
    """Say by which accounts this session is judged; a screen that stands alone has none."""
    st.session_state[_ACCOUNTS] = accounts


def signed_in_as() -> Person | None:
    """Who has logged in in this browser session, by what their account is now, or None."""
    person: Person | None = st.session_state.get(_SIGNED_IN_AS)
    accounts: Accounts | None = st.session_state.get(_ACCOUNTS)
    if person is None or accounts is None:
        return person
    now = _standing(accounts, person)
    if now is None:
        sign_out()
        st.session_state[_ACCOUNTS], st.session_state[_ENDED] = accounts, True
        return None
    st.session_state[_SIGNED_IN_AS] = now
    return now


def require(right: Right) -> Person:
    """Whoever has logged in, if they may; else the page stops with a sentence.

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
def watch(seen_as: Person) -> None:
    """Draw the page anew, or the login form, once its reader is not who they were."""
    if signed_in_as() != seen_as:
        st.rerun()


def sign_in(account: Account) -> None:
    """Let this browser session be this account's from now on."""
    st.session_state[_SIGNED_IN_AS] = Person(account.login, account.role)
    st.session_state[_PASSWORD_CHANGES] = account.password_changes


def sign_out() -> None:
    """Forget everything about this browser session."""
    st.session_state.clear()


def show(accounts: Accounts) -> None:
    """The form; a right answer opens the page that was asked for."""
    _, middle, _ = st.columns([1, 1.2, 1])
    with middle:
        st.title("Fraudwatch", anchor=False)
        st.caption("Suspicious purchases, within a second or two of the purchase.")
        if st.session_state.get(_ENDED):
            st.warning(
                "You were logged out: your account was closed or its password changed. Log in "
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
            _answer(accounts, name, password)


def judge(accounts: Accounts, login: str, password: str) -> tuple[Answer, Account | None]:
    """Answer one try, throttled; the account if it is welcome.

    Raises:
        AccountsUnavailable: nobody can tell.
    """
    found: list[Account] = []

    def is_right() -> bool:
        account = accounts.check(login, password)
        found.extend([account] if account else [])
        return account is not None

    answer = _throttle().judge(login, is_right)
    if answer is not Answer.WELCOME:
        metrics.refused("wrong" if answer is Answer.WRONG else "too_soon")
    return answer, found[0] if found else None


def tell_unavailable(error: AccountsUnavailable) -> None:
    """Where the file lies is for the log; an analyst cannot put it back."""
    logger.error("%s", error)
    st.error(
        "The accounts cannot be read now, so nobody can log in or go on. Ask whoever runs "
        "Fraudwatch to look at `./fraudwatch logs console`."
    )


def _answer(accounts: Accounts, name: str, password: str) -> None:
    try:
        # A phone begins a word with a capital letter and ends it with a blank.
        answer, account = judge(accounts, name.strip().lower(), password)
    except AccountsUnavailable as error:
        tell_unavailable(error)
        return
    if account is not None:
        st.session_state.pop(_ENDED, None)
        sign_in(account)
        st.rerun()
    if answer is Answer.WRONG:
        st.error("User name or password is wrong.")
    else:
        st.warning(TOO_SOON)


def _standing(accounts: Accounts, person: Person) -> Person | None:
    changes: int = st.session_state.get(_PASSWORD_CHANGES, -1)
    try:
        return accounts.standing(person.login, changes)
    except AccountsUnavailable as error:
        tell_unavailable(error)
        st.stop()


@st.cache_resource(show_spinner=False)
def _throttle() -> Throttle:
    return Throttle()
