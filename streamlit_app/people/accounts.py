"""Accounts page: an admin creates, changes and closes accounts, each with an audited reason."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from fraudwatch.application.console.access import Forbidden, Right, Role
from fraudwatch.application.console.account_rules import (
    Account,
    AccountRefused,
    AccountsUnavailable,
)
from fraudwatch.application.console.accounts import Accounts, Actor
from fraudwatch.application.console.audit import AuditLog
from fraudwatch.application.console.audited_accounts import audited_actor
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.messages.audit import LONGEST_REASON
from streamlit_app.console_services import ServiceSource
from streamlit_app.people import login
from streamlit_app.view_models import age_text

NOT_AUDITED = (
    "Nothing was changed: the audit log cannot be written, and every change must be recorded "
    "first. Run `./fraudwatch status` to see what is down, then try again."
)
NOT_STORED = "Nothing was changed: the accounts cannot be read or written now. Try again later."
_ROLE_WORDS = {
    Role.ANALYST: "analyst: sees alerts and decides cases",
    Role.LEAD: "lead: also reveals personal data and reads the audit log",
    Role.ADMIN: "admin: manages accounts and reads the audit log; does not decide cases",
}
_COLUMNS = {
    "login": st.column_config.TextColumn("User name"),
    "role": st.column_config.TextColumn("Role"),
    "state": st.column_config.TextColumn("State"),
    "changed": st.column_config.TextColumn("Last changed"),
    "by": st.column_config.TextColumn("By"),
}
_RESULT = "accounts_result"
_NEW_LOGIN, _NEW_ROLE, _NEW_REASON = "accounts_login", "accounts_role", "accounts_reason"
_CHOSEN, _ACTION = "accounts_chosen", "accounts_action"
_OTHER_ROLE, _REASON = "accounts_other_role", "accounts_change_reason"


class _Action(enum.StrEnum):
    ROLE = "Change role"
    PASSWORD = "Reset password"  # noqa: S105  a button
    CLOSE = "Close"
    OPEN = "Reopen"


@dataclass(frozen=True, slots=True)
class _ActionResult:
    """Result of the last action, shown once, with a new password if there is one."""

    sentence: str
    is_done: bool
    password: str | None = None


@dataclass(frozen=True, slots=True)
class _AccountsContext:
    """Services that an account action needs."""

    source: ServiceSource
    accounts: Accounts
    audit_log: Callable[[], AuditLog]


def show(source: ServiceSource, accounts: Accounts, audit_log: Callable[[], AuditLog]) -> None:
    """Draw the page: all accounts, and below them the forms to change and add one."""
    login.require(Right.ACCOUNTS)
    context = _AccountsContext(source, accounts, audit_log)
    st.header("Accounts", anchor=False)
    try:
        all_accounts = accounts.list_accounts()
    except AccountsUnavailable:
        st.error(NOT_STORED)
        return
    _show_last_result()
    _table(all_accounts, source.now_ms())
    changing, adding = st.tabs(["Change an account", "Add an account"])
    with changing:
        _change_form(context, all_accounts)
    with adding:
        _add_form(context)


def _show_last_result() -> None:
    result: _ActionResult | None = st.session_state.pop(_RESULT, None)
    if result is None:
        return
    (st.success if result.is_done else st.error)(result.sentence)
    if result.password:
        st.code(result.password, language=None)
        st.caption("Shown once and not stored. Hand it over, and ask for it to be changed.")


def _table(all_accounts: list[Account], now_ms: int) -> None:
    rows = [
        {
            "login": account.login,
            "role": account.role.value,
            "state": "open" if account.is_open else "closed",
            "changed": f"{age_text(now_ms - account.changed_at_ms)} ago",
            "by": account.changed_by,
        }
        for account in all_accounts
    ]
    st.dataframe(pd.DataFrame(rows), key="accounts", hide_index=True, column_config=_COLUMNS)


def _change_form(context: _AccountsContext, all_accounts: list[Account]) -> None:
    by_login = {account.login: account for account in all_accounts}
    chosen = st.selectbox("Account", list(by_login), key=_CHOSEN)
    if chosen is None:
        return
    account = by_login[chosen]
    possible = [_Action.ROLE, _Action.PASSWORD, _Action.CLOSE if account.is_open else _Action.OPEN]
    action = st.radio("Action", possible, key=_ACTION, horizontal=True)
    if action is _Action.ROLE:
        others = [role for role in Role if role is not account.role]
        st.selectbox("New role", others, format_func=_ROLE_WORDS.__getitem__, key=_OTHER_ROLE)
    st.text_input("Reason (for the audit log)", key=_REASON, max_chars=LONGEST_REASON)
    st.button(
        f"{action}: {chosen}",
        on_click=_change,
        args=(context, chosen, action),
        key="accounts_change",
    )


def _add_form(context: _AccountsContext) -> None:
    with st.form("accounts_add", border=False):
        st.text_input("User name", key=_NEW_LOGIN, max_chars=32, autocomplete="off")
        st.selectbox("Role", list(Role), format_func=_ROLE_WORDS.__getitem__, key=_NEW_ROLE)
        st.text_input("Reason (for the audit log)", key=_NEW_REASON, max_chars=LONGEST_REASON)
        st.form_submit_button("Add", type="primary", on_click=_add, args=(context,))


def _add(context: _AccountsContext) -> None:
    form = st.session_state
    name, role = form[_NEW_LOGIN].strip(), form[_NEW_ROLE]

    def add(actor: Actor) -> _ActionResult:
        password = context.accounts.make(actor, name, role)
        return _ActionResult(f"{name} may log in as {role}, with this password:", True, password)

    if _do(context, form[_NEW_REASON], add):
        form[_NEW_LOGIN] = form[_NEW_REASON] = ""


def _change(context: _AccountsContext, name: str, action: _Action) -> None:
    def change(actor: Actor) -> _ActionResult:
        match action:
            case _Action.ROLE:
                role: Role = st.session_state[_OTHER_ROLE]
                context.accounts.change_role(actor, name, role)
                return _ActionResult(f"{name} is now {role}.", True)
            case _Action.PASSWORD:
                password = context.accounts.reset_password(actor, name)
                return _ActionResult(
                    f"{name} is logged out everywhere; the new password:", True, password
                )
            case _Action.CLOSE:
                context.accounts.close(actor, name)
                return _ActionResult(f"{name} is closed and logged out everywhere.", True)
            case _Action.OPEN:
                context.accounts.reopen(actor, name)
                return _ActionResult(f"{name} may log in again, with the same password.", True)

    if _do(context, st.session_state[_REASON], change):
        st.session_state[_REASON] = ""


def _do(context: _AccountsContext, reason: str, action: Callable[[Actor], _ActionResult]) -> bool:
    """Run an action as the person logged in; its result is shown above the table."""
    person = login.signed_in_as()
    if person is None:
        return False
    try:
        actor = audited_actor(person, reason, context.audit_log, context.source.now_ms)
        result = action(actor)
    except (AccountRefused, Forbidden) as refused:
        result = _ActionResult(str(refused), False)
    except NotDelivered:
        result = _ActionResult(NOT_AUDITED, False)
    except AccountsUnavailable:
        result = _ActionResult(NOT_STORED, False)
    st.session_state[_RESULT] = result
    return result.is_done
