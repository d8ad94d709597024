"""The queue of open cases in working order, shown while no case is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd
import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.next_case import WAITING_HOURS, WaitingCase
from fraudwatch.application.ports import StoreUnavailable
from streamlit_app import alert_table, navigation
from streamlit_app.case import buttons, work
from streamlit_app.case.parts import unavailable
from streamlit_app.console_services import ServiceSource
from streamlit_app.view_models import RISK_WORDS, age_text, amount_text, strongest_reason

MAX_CASES: Final = 50
_NAME: Final = "queue"
_COLUMNS: Final = {
    "age": st.column_config.TextColumn("Age", width=68),
    "merchant": st.column_config.TextColumn("Merchant", width=140),
}


def show(source: ServiceSource, person: Person) -> None:
    """Draw the queue and the button that claims its first case; a click opens any of them."""
    if transaction_id := alert_table.clicked_case(_NAME):
        navigation.open_case(transaction_id)
        st.rerun()
    st.subheader("Queue", anchor=False)
    cases: list[WaitingCase] = []
    try:
        cases = work.waiting(source, person, MAX_CASES)
        st.text(_summary(cases, may_decide=person.may(Right.DECIDE)))
    except StoreUnavailable:
        unavailable("The queue")
    buttons.next_case(source, person, None)
    if cases:
        _table(cases, source.now_ms())


def _summary(cases: Sequence[WaitingCase], *, may_decide: bool) -> str:
    if not cases:
        return (
            f"No open cases: every alert of the last {WAITING_HOURS} hours is decided or claimed "
            "by another person."
        )
    count = f"{len(cases)} open {'case' if len(cases) == 1 else 'cases'}"
    count = f"The first {count}" if len(cases) == MAX_CASES else count
    claim = ", or claim the first with Next case" if may_decide else ""
    return (
        f"{count}, highest risk first, then by score times amount. Click a case to open it{claim}."
    )


def _table(cases: Sequence[WaitingCase], now_ms: int) -> None:
    rows = pd.DataFrame([_row(case, now_ms) for case in cases])
    alert_table.draw(_NAME, rows, list(rows["transaction"]), _COLUMNS)


def _row(case: WaitingCase, now_ms: int) -> dict[str, str]:
    alert = case.alert
    return {
        "risk": RISK_WORDS[alert.risk],
        "amount": amount_text(alert.amount_minor, alert.currency),
        "reason": strongest_reason(alert.reasons),
        "age": age_text(now_ms - alert.decided_at_ms),
        "status": "★ Yours" if case.is_claimed else "Open",
        "merchant": alert.merchant_id,
        "transaction": alert.transaction_id,
    }
