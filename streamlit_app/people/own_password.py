"""Dialog to change one's own password, for every role."""

from __future__ import annotations

import streamlit as st

from fraudwatch.application.console.access import Person
from fraudwatch.application.console.account_rules import (
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    AccountRefused,
    AccountsUnavailable,
)
from fraudwatch.application.console.accounts import Accounts
from streamlit_app.people import login
from streamlit_app.people.throttle import LoginResult

_IS_OPEN = "own_password_is_open"


def open_dialog() -> None:
    """Open the dialog, until it is used or dismissed."""
    st.session_state[_IS_OPEN] = True


def dismiss() -> None:
    """Close the dialog."""
    st.session_state.pop(_IS_OPEN, None)


def show(accounts: Accounts, shown_person: Person) -> None:
    """Draw the dialog, if it is open."""
    if st.session_state.get(_IS_OPEN):
        _dialog(accounts, shown_person)


@st.dialog("Change my password", on_dismiss=dismiss)
def _dialog(accounts: Accounts, shown_person: Person) -> None:
    """Change the password; this session continues, and the account's others end."""
    if login.signed_in_as() != shown_person:
        st.rerun()
    with st.form("own_password", border=False):
        current = _field("Current password", "current-password")
        chosen = _field("New password", "new-password")
        repeated = _field("Repeat the new password", "new-password")
        st.caption(
            f"At least {SHORTEST_PASSWORD} characters, without your user name. Other browsers "
            "where you are logged in will be logged out."
        )
        is_sent = st.form_submit_button("Change", type="primary")
    if not is_sent:
        return
    if chosen != repeated:
        st.error("The two new passwords differ. Your password was not changed.")
    elif refused := _refusal(accounts, shown_person, current, chosen):
        st.error(refused)
    else:
        dismiss()
        st.success("Your password was changed.")


def _field(label: str, autocomplete: str) -> str:
    return st.text_input(
        label, type="password", autocomplete=autocomplete, max_chars=LONGEST_PASSWORD
    )


def _refusal(accounts: Accounts, person: Person, current: str, chosen: str) -> str | None:
    """Change the password; return the reason if it is refused."""
    try:
        result, account = login.attempt_login(accounts, person.login, current)
        if account is not None:
            login.keep_signed_in(accounts, accounts.choose_password(account, chosen))
            return None
    except AccountRefused as error:
        return str(error)
    except AccountsUnavailable:
        return "Your password was not changed: the accounts cannot be written now. Try again later."
    return login.TOO_SOON if result is LoginResult.TOO_SOON else "The current password is wrong."
