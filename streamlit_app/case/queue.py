"""The lists of open cases in working order, shown while no case is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd
import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.next_case import View, WaitingCase
from fraudwatch.application.console.sla import is_overdue
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.money import amount_text
from streamlit_app import alert_table, navigation
from streamlit_app.case import buttons, review_queue, work
from streamlit_app.case.parts import unavailable
from streamlit_app.console_services import ServiceSource
from streamlit_app.handling_view import due_text, status_words
from streamlit_app.view_models import RISK_WORDS, age_text, strongest_reason

MAX_CASES: Final = 50
_NAME: Final = "queue"
_REVIEWS: Final = "reviews"
_VIEWS: Final = {
    View.TO_DO: "To do",
    View.MINE: "Mine",
    View.ASSIGNED: "In work",
    View.SNOOZED: "Snoozed",
    View.ALL: "All open",
    _REVIEWS: "Review requested",
}
_NOTHING: Final = {
    View.TO_DO: (
        "No open case is left to do: every alert is decided, snoozed, or with another person."
    ),
    View.MINE: "No case is assigned to you or claimed by you.",
    View.ASSIGNED: "No case is assigned or claimed.",
    View.SNOOZED: "No case is snoozed.",
    View.ALL: "No open case: every alert is decided.",
}
_COLUMNS: Final = {
    "age": st.column_config.TextColumn("Age", width=68),
    "due": st.column_config.TextColumn("Due", width=104, help="Target by risk level"),
    "merchant": st.column_config.TextColumn("Merchant", width=140),
}


def show(source: ServiceSource, person: Person) -> None:
    """Draw the chosen list, and the button that claims the next case; a click opens a case."""
    for name in (_NAME, review_queue.NAME):
        if transaction_id := alert_table.clicked_case(name):
            navigation.open_case(transaction_id)
            st.rerun()
    st.subheader("Queue", anchor=False)
    view = st.segmented_control(
        "Cases",
        list(_VIEWS),
        format_func=_VIEWS.__getitem__,
        default=View.TO_DO,
        key="queue_view",
        label_visibility="collapsed",
    )
    if view == _REVIEWS:
        review_queue.show(source, person)
        return
    _cases(source, person, View(view or View.TO_DO))


def _cases(source: ServiceSource, person: Person, view: View) -> None:
    cases: list[WaitingCase] = []
    try:
        cases = work.waiting(source, person, view)
        st.text(_summary(cases, view, source.now_ms(), may_decide=person.may(Right.DECIDE)))
    except StoreUnavailable:
        unavailable("The queue")
    review_queue.show_count(source, person)
    buttons.next_case(source, person, None)
    if cases:
        now_ms = source.now_ms()
        rows = pd.DataFrame([_row(case, person, now_ms) for case in cases[:MAX_CASES]])
        alert_table.draw(_NAME, rows, list(rows["transaction"]), _COLUMNS)


def _summary(cases: Sequence[WaitingCase], view: View, now_ms: int, *, may_decide: bool) -> str:
    if not cases:
        return _NOTHING[view]
    count = f"{len(cases):,} open {'case' if len(cases) == 1 else 'cases'}"
    count = f"The first {MAX_CASES} of {count}" if len(cases) > MAX_CASES else count
    overdue = sum(is_overdue(case.alert, now_ms) for case in cases)
    count += f", {overdue:,} overdue" if overdue else ""
    claim = ", or claim the first with Next case" if may_decide and view is View.TO_DO else ""
    return (
        f"{count}: highest risk first, then overdue, then by score times amount. Click a case to "
        f"open it{claim}."
    )


def _row(case: WaitingCase, person: Person, now_ms: int) -> dict[str, str]:
    alert = case.alert
    return {
        "risk": RISK_WORDS[alert.risk],
        "amount": amount_text(alert.amount_minor, alert.currency),
        "reason": strongest_reason(alert.reasons),
        "age": age_text(now_ms - alert.decided_at_ms),
        "due": due_text(alert, now_ms),
        "status": status_words(case, person.login, now_ms),
        "merchant": alert.merchant_id,
        "transaction": alert.transaction_id,
    }
