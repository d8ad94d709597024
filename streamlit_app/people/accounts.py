"""Accounts: who may log in and as what; an admin makes, changes and closes them, with a reason."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from fraudwatch.application.access import Forbidden, Right, Role
from fraudwatch.application.account_deeds import witnessed
from fraudwatch.application.account_rules import Account, AccountRefused, AccountsUnavailable
from fraudwatch.application.accounts import Accounts, Doer
from fraudwatch.application.audit import AuditLog
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.audit import LONGEST_REASON
from streamlit_app.desk import Source
from streamlit_app.people import login
from streamlit_app.view_models import age_text

NOT_WRITTEN_DOWN = (
    "Nothing was changed: it could not be written to the audit log, and nothing is done here that "
    "is not. Run `./fraudwatch status` to see what is down, then try again."
)
NOT_KEPT = "The accounts cannot be read or written now, so nothing was changed. Try again later."
_ROLE_WORDS = {
    Role.ANALYST: "analyst: sees alerts and decides cases",
    Role.LEAD: "lead: also looks behind tokens and reads the audit log",
    Role.ADMIN: "admin: manages accounts and reads the audit log; decides nothing",
}
_COLUMNS = {
    "login": st.column_config.TextColumn("User name"),
    "role": st.column_config.TextColumn("Role"),
    "state": st.column_config.TextColumn("State"),
    "changed": st.column_config.TextColumn("Last changed"),
    "by": st.column_config.TextColumn("By"),
}
_TOLD = "accounts_told"
_NEW_LOGIN, _NEW_ROLE, _NEW_REASON = "accounts_login", "accounts_role", "accounts_reason"
_CHOSEN, _DEED = "accounts_chosen", "accounts_deed"
_OTHER_ROLE, _REASON = "accounts_other_role", "accounts_change_reason"


class _Deed(enum.StrEnum):
    ROLE = "Change role"
    PASSWORD = "Reset password"  # noqa: S105  a button
    CLOSE = "Close"
    OPEN = "Open again"


@dataclass(frozen=True, slots=True)
class _Told:
    """What became of the last deed: shown once, a password with it."""

    sentence: str
    is_done: bool
    password: str | None = None


@dataclass(frozen=True, slots=True)
class _Office:
    """What a deed needs."""

    source: Source
    accounts: Accounts
    audit_log: Callable[[], AuditLog]


def show(source: Source, accounts: Accounts, audit_log: Callable[[], AuditLog]) -> None:
    """The page: everybody's account on top, below it what can be done with them."""
    login.require(Right.ACCOUNTS)
    office = _Office(source, accounts, audit_log)
    st.header("Accounts", anchor=False)
    try:
        everybody = accounts.everybody()
    except AccountsUnavailable:
        st.error(NOT_KEPT)
        return
    _tell_last()
    _table(everybody, source.now_ms())
    changing, adding = st.tabs(["Change an account", "Add an account"])
    with changing:
        _change_form(office, everybody)
    with adding:
        _add_form(office)


def _tell_last() -> None:
    told: _Told | None = st.session_state.pop(_TOLD, None)
    if told is None:
        return
    (st.success if told.is_done else st.error)(told.sentence)
    if told.password:
        st.code(told.password, language=None)
        st.caption("Shown this once and kept nowhere. Hand it over, and have it changed.")


def _table(everybody: list[Account], now_ms: int) -> None:
    rows = [
        {
            "login": account.login,
            "role": account.role.value,
            "state": "open" if account.is_open else "closed",
            "changed": f"{age_text(now_ms - account.changed_at_ms)} ago",
            "by": account.changed_by,
        }
        for account in everybody
    ]
    st.dataframe(pd.DataFrame(rows), key="accounts", hide_index=True, column_config=_COLUMNS)


def _change_form(office: _Office, everybody: list[Account]) -> None:
    by_login = {account.login: account for account in everybody}
    chosen = st.selectbox("Account", list(by_login), key=_CHOSEN)
    if chosen is None:
        return
    account = by_login[chosen]
    possible = [_Deed.ROLE, _Deed.PASSWORD, _Deed.CLOSE if account.is_open else _Deed.OPEN]
    deed = st.radio("What to do", possible, key=_DEED, horizontal=True)
    if deed is _Deed.ROLE:
        others = [role for role in Role if role is not account.role]
        st.selectbox("New role", others, format_func=_ROLE_WORDS.__getitem__, key=_OTHER_ROLE)
    st.text_input("Why (for the audit log)", key=_REASON, max_chars=LONGEST_REASON)
    st.button(
        f"{deed}: {chosen}", on_click=_change, args=(office, chosen, deed), key="accounts_change"
    )


def _add_form(office: _Office) -> None:
    with st.form("accounts_add", border=False):
        st.text_input("User name", key=_NEW_LOGIN, max_chars=32, autocomplete="off")
        st.selectbox("Role", list(Role), format_func=_ROLE_WORDS.__getitem__, key=_NEW_ROLE)
        st.text_input("Why (for the audit log)", key=_NEW_REASON, max_chars=LONGEST_REASON)
        st.form_submit_button("Add", type="primary", on_click=_add, args=(office,))


def _add(office: _Office) -> None:
    asked = st.session_state
    name, role = asked[_NEW_LOGIN].strip(), asked[_NEW_ROLE]

    def add(doer: Doer) -> _Told:
        password = office.accounts.make(doer, name, role)
        return _Told(f"{name} may log in as {role}, with this password:", True, password)

    if _do(office, asked[_NEW_REASON], add):
        asked[_NEW_LOGIN] = asked[_NEW_REASON] = ""


def _change(office: _Office, name: str, deed: _Deed) -> None:
    def change(doer: Doer) -> _Told:
        match deed:
            case _Deed.ROLE:
                role: Role = st.session_state[_OTHER_ROLE]
                office.accounts.change_role(doer, name, role)
                return _Told(f"{name} is {role} now.", True)
            case _Deed.PASSWORD:
                password = office.accounts.reset_password(doer, name)
                return _Told(f"{name} is logged out everywhere; the new password:", True, password)
            case _Deed.CLOSE:
                office.accounts.close(doer, name)
                return _Told(f"{name} is closed and logged out everywhere.", True)
            case _Deed.OPEN:
                office.accounts.reopen(doer, name)
                return _Told(f"{name} may log in again, with the password as it was.", True)

    if _do(office, st.session_state[_REASON], change):
        st.session_state[_REASON] = ""


def _do(office: _Office, reason: str, deed: Callable[[Doer], _Told]) -> bool:
    """Do it as whoever is logged in by now; what became of it is told above the table."""
    person = login.signed_in_as()
    if person is None:
        return False
    try:
        doer = witnessed(person, reason, office.audit_log, office.source.now_ms)
        told = deed(doer)
    except (AccountRefused, Forbidden) as refused:
        told = _Told(str(refused), False)
    except NotDelivered:
        told = _Told(NOT_WRITTEN_DOWN, False)
    except AccountsUnavailable:
        told = _Told(NOT_KEPT, False)
    st.session_state[_TOLD] = told
    return told.is_done
