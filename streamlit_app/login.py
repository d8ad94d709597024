"""Who may look: one account from the settings, for the length of a browser session."""

from __future__ import annotations

import enum
import hmac
import threading
import time

import streamlit as st

from fraudwatch.settings import ConsoleSettings
from streamlit_app import metrics

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 8.0
FORGIVEN_AFTER_SECONDS = 60.0
_SIGNED_IN_AS = "signed_in_as"


class Answer(enum.Enum):
    """What becomes of a try to log in."""

    WELCOME = enum.auto()
    WRONG = enum.auto()
    TOO_SOON = enum.auto()


class Throttle:
    """Makes guessing slow: after each failed try nobody may try for a while, up to 8 s.

    It counts for everybody together: a new session costs a guesser nothing.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_until = 0.0

    def judge(self, *, is_right: bool, now_seconds: float) -> Answer:
        """Answer one try; one that comes too soon is not even compared."""
        with self._lock:
            if now_seconds < self._closed_until:
                return Answer.TOO_SOON
            if now_seconds > self._closed_until + FORGIVEN_AFTER_SECONDS or is_right:
                self._failures = 0
            if is_right:
                return Answer.WELCOME
            pause = min(FIRST_PAUSE_SECONDS * 2**self._failures, LONGEST_PAUSE_SECONDS)
            self._failures += 1
            self._closed_until = now_seconds + pause
            return Answer.WRONG


def signed_in_as() -> str | None:
    """The account of this browser session, or None."""
    name: str | None = st.session_state.get(_SIGNED_IN_AS)
    return name


def require() -> None:
    """Stop the page when nobody is logged in: hiding a page in the menu protects nothing."""
    if signed_in_as() is None:
        st.stop()


def sign_out() -> None:
    """Forget everything about this browser session."""
    st.session_state.clear()


def show(account: ConsoleSettings) -> None:
    """The form; a right answer opens the console."""
    _, middle, _ = st.columns([1, 1.2, 1])
    with middle:
        st.title("Fraudwatch", anchor=False)
        st.caption("Suspicious purchases, within a second or two of the purchase.")
        with st.form("login"):
            username = st.text_input("User name", autocomplete="username")
            password = st.text_input("Password", type="password", autocomplete="current-password")
            is_sent = st.form_submit_button("Log in", type="primary", width="stretch")
        if is_sent:
            _answer(account, username, password)


def matches(account: ConsoleSettings, username: str, password: str) -> bool:
    """Compare in constant time, both parts always, so that timing tells nothing about either."""
    is_name_right = _equal(username, account.username)
    is_password_right = _equal(password, account.password.get_secret_value())
    return is_name_right and is_password_right


def _equal(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(), known.encode())


def _answer(account: ConsoleSettings, username: str, password: str) -> None:
    is_right = matches(account, username, password)
    match _throttle().judge(is_right=is_right, now_seconds=time.monotonic()):
        case Answer.WELCOME:
            st.session_state[_SIGNED_IN_AS] = account.username
            st.rerun()
        case Answer.WRONG:
            metrics.refused("wrong")
            st.error("User name or password is wrong.")
        case Answer.TOO_SOON:
            metrics.refused("too_soon")
            st.warning("Too many failed tries. Wait a few seconds, then try again.")


@st.cache_resource(show_spinner=False)
def _throttle() -> Throttle:
    return Throttle()
