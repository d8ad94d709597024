"""Change one's own password, whatever one's role is."""

from __future__ import annotations

import streamlit as st

from fraudwatch.application.access import Person
from fraudwatch.application.account_rules import (
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    AccountRefused,
    AccountsUnavailable,
)
from fraudwatch.application.accounts import Accounts
from streamlit_app.people import login
from streamlit_app.people.throttle import Answer

_IS_ASKED_FOR = "own_password_is_asked_for"


def ask() -> None:
    """Let the form be shown, until it was used or dismissed."""
    st.session_state[_IS_ASKED_FOR] = True


def dismiss() -> None:
    """Let it be shown no more."""
    st.session_state.pop(_IS_ASKED_FOR, None)


def show(accounts: Accounts, seen_as: Person) -> None:
    """The form, if it was asked for."""
    if st.session_state.get(_IS_ASKED_FOR):
        _dialog(accounts, seen_as)


@st.dialog("Change my password", on_dismiss=dismiss)
def _dialog(accounts: Accounts, seen_as: Person) -> None:
    """Afterwards this session goes on, and every other one of the account ends."""
    if login.signed_in_as() != seen_as:
        st.rerun()
    with st.form("own_password", border=False):
        current = _field("Password now", "current-password")
        chosen = _field("New password", "new-password")
        again = _field("New password again", "new-password")
        st.caption(
            f"At least {SHORTEST_PASSWORD} characters, without your user name. Other browsers "
            "where you are logged in will be logged out."
        )
        is_sent = st.form_submit_button("Change", type="primary")
    if not is_sent:
        return
    if chosen != again:
        st.error("The two new passwords differ. Your password is as it was.")
    elif refused := _refusal(accounts, seen_as, current, chosen):
        st.error(refused)
    else:
        dismiss()
        st.success("Your password is changed.")


def _field(label: str, autocomplete: str) -> str:
    return st.text_input(
        label, type="password", autocomplete=autocomplete, max_chars=LONGEST_PASSWORD
    )


def _refusal(accounts: Accounts, person: Person, current: str, chosen: str) -> str | None:
    """Change it; else why it stayed as it was."""
    try:
        answer, account = login.judge(accounts, person.login, current)
        if account is not None:
            login.sign_in(accounts.choose_password(account, chosen))
            return None
    except AccountRefused as error:
        return str(error)
    except AccountsUnavailable:
        return "The accounts cannot be written now. Your password is as it was; try again later."
    return login.TOO_SOON if answer is Answer.TOO_SOON else "The password now is not this one."
