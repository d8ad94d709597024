"""Assignment, snooze and target of an open case, and the buttons that change them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import streamlit as st

from fraudwatch.application.console.access import Forbidden, Person, Right
from fraudwatch.application.console.alerts import alert_of
from fraudwatch.application.console.handling import UNHANDLED, Handling, HandlingRefused
from fraudwatch.application.ports import NotDelivered, StoreUnavailable
from fraudwatch.domain.messages.audit import LONGEST_REASON
from streamlit_app.case.parts import unavailable
from streamlit_app.case.queries import CaseFile
from streamlit_app.console_services import ServiceSource
from streamlit_app.handling_view import handling_lines
from streamlit_app.metrics import timed_query

_LENGTHS: Final = {
    "1 hour": timedelta(hours=1),
    "4 hours": timedelta(hours=4),
    "1 day": timedelta(days=1),
    "3 days": timedelta(days=3),
    "7 days": timedelta(days=7),
    "30 days": timedelta(days=30),
}
_NO_ONE: Final = "No one"
_PROBLEM: Final = "case_handling_problem"


def show(source: ServiceSource, person: Person, case: CaseFile) -> None:
    """Draw the handling of an open case; a decided one has none."""
    if not case.is_open:
        return
    transaction_id, services = case.verdict.transaction_id, source.services()
    try:
        with timed_query("handlings"):
            handling = services.handling.store.handlings().get(transaction_id, UNHANDLED)
    except StoreUnavailable:
        unavailable("To whom the case is assigned")
        return
    now_ms = source.now_ms()
    for line in handling_lines(alert_of(case.verdict), handling, now_ms):
        st.text(line)
    if problem := st.session_state.pop(_PROBLEM, None):
        st.error(problem)
    if not person.may(Right.DECIDE):
        return
    with st.container(horizontal=True):
        if person.may(Right.ASSIGN):
            _assign_to_any(source, person, transaction_id, handling)
        else:
            _assign_to_oneself(source, person, transaction_id, handling)
        if handling.is_snoozed(now_ms):
            if st.button("End snooze"):
                _do(lambda: services.handling.wake(person, transaction_id))
        else:
            _snooze(source, person, transaction_id)


def _assign_to_any(
    source: ServiceSource, person: Person, transaction_id: str, handling: Handling
) -> None:
    service = source.services().handling
    with st.popover("Assign"):
        logins = [_NO_ONE, *service.deciders()]
        current = handling.assigned_to or _NO_ONE
        chosen = st.selectbox(
            "Assign to",
            logins,
            index=logins.index(current) if current in logins else 0,
            key=f"case_assign_{transaction_id}",
        )
        if st.button("Save assignment"):
            login = None if chosen == _NO_ONE else chosen
            _do(lambda: service.assign(person, transaction_id, login))


def _assign_to_oneself(
    source: ServiceSource, person: Person, transaction_id: str, handling: Handling
) -> None:
    service = source.services().handling
    if handling.assigned_to is None:
        if st.button("Assign to me"):
            _do(lambda: service.assign(person, transaction_id, person.login))
    elif handling.assigned_to == person.login and st.button("Give back"):
        _do(lambda: service.assign(person, transaction_id, None))


def _snooze(source: ServiceSource, person: Person, transaction_id: str) -> None:
    with st.popover("Snooze"):
        length = st.selectbox("For", list(_LENGTHS), key=f"case_snooze_{transaction_id}")
        reason = st.text_input(
            "Reason of the snooze",
            max_chars=LONGEST_REASON,
            placeholder="What is awaited? No names.",
            key=f"case_snooze_reason_{transaction_id}",
        )
        if st.button("Save snooze"):
            until_ms = source.now_ms() + _LENGTHS[length] // timedelta(milliseconds=1)
            service = source.services().handling
            _do(lambda: service.snooze(person, transaction_id, until_ms, reason))


def _do(action: Callable[[], None]) -> None:
    try:
        action()
    except (HandlingRefused, Forbidden) as error:
        st.session_state[_PROBLEM] = str(error)
    except NotDelivered:
        st.session_state[_PROBLEM] = (
            "Nothing was changed: the audit record could not be written, because Kafka did not "
            "acknowledge it. Try again; `./fraudwatch status` shows what is down."
        )
    except StoreUnavailable:
        st.session_state[_PROBLEM] = (
            "It may not be saved: the store (Cassandra) does not answer. Try again in a moment; "
            "`./fraudwatch status` shows what is down."
        )
    st.rerun()
