"""Parts of the case screen that tell of what lies around it: the customer, and who shares what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd
import streamlit as st

from fraudwatch.application.casework import Shared
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.transaction import Transaction
from streamlit_app import navigation
from streamlit_app.case import charts
from streamlit_app.case.history import Bought, timeline
from streamlit_app.case.parts import away
from streamlit_app.case.queries import DAYS_BACK, MOST_SHARED, CaseFile
from streamlit_app.case.shared import SHARED_WORDS, elsewhere, shared_sentence

MOST_LINKS: Final = 12
_TABLE_HEIGHT_PX: Final = 260
_TIMELINE_COLUMNS: Final = {
    "at": st.column_config.DatetimeColumn("Time", format="D MMM HH:mm:ss", timezone="UTC"),
    "risk": st.column_config.Column("Risk"),
    "amount": st.column_config.TextColumn("Amount", alignment="right"),
    "merchant": st.column_config.Column("Merchant"),
    "outcome": st.column_config.Column("Outcome"),
    "payment": st.column_config.Column("Payment"),
    "reasons": st.column_config.TextColumn("Why", width="large"),
    "transaction": st.column_config.Column("Transaction"),
}
_SHARED_COLUMNS: Final = {
    "who": st.column_config.Column("Customer"),
    "at": st.column_config.Column("Time"),
    "amount": st.column_config.TextColumn("Amount", alignment="right"),
    "merchant": st.column_config.Column("Merchant"),
    "risk": st.column_config.Column("Risk"),
    "known": st.column_config.Column("Known to be"),
    "transaction": st.column_config.Column("Transaction"),
}


def customer(case: CaseFile) -> None:
    """What the customer bought lately, and where."""
    st.subheader(f"This customer, {DAYS_BACK} days", anchor=False)
    if isinstance(case.recent, StoreUnavailable):
        away("What the customer bought")
        return
    if isinstance(case.verdicts, StoreUnavailable):
        away("How these purchases were judged")
    rows = timeline(case.recent, case.known.verdicts, case.verdict.transaction_id)
    if not rows:
        st.info("No purchase of this customer is stored for these days.")
        return
    over_time, on_map = st.columns(2)
    with over_time:
        st.altair_chart(charts.amounts(rows), width="stretch")
    with on_map:
        _map(rows)
    table = pd.DataFrame(rows)[list(_TIMELINE_COLUMNS)]
    st.dataframe(
        table,
        hide_index=True,
        column_config=_TIMELINE_COLUMNS,
        height="content" if len(rows) < 6 else _TABLE_HEIGHT_PX,  # noqa: PLR2004  fits below that
        key="case_timeline",
    )
    _links([row for row in rows if row.is_alert and not row.is_this])


def shared(case: CaseFile, now_ms: int) -> None:
    """The same card, device and network at other purchases."""
    st.subheader("The same card, device or network elsewhere", anchor=False)
    if not isinstance(case.purchase, Transaction):
        st.info("Without the purchase nobody can tell what it shares with others.")
        return
    if isinstance(case.truths, StoreUnavailable):
        away("What is known to be fraud among these")
    for what in Shared:
        if what in case.shared:
            _shared(case, what, now_ms)
        else:
            st.text(f"This purchase names no {SHARED_WORDS[what]}.")


def _map(rows: Sequence[Bought]) -> None:
    if any(row.place for row in rows):
        st.altair_chart(charts.places(rows), width="stretch")
    else:
        st.info("No map: none of these purchases says where it happened.")


def _links(alerts: Sequence[Bought]) -> None:
    """A button an alert: it works by keyboard, and in this window, where the login is."""
    if not alerts:
        return
    st.text("Other alerts of this customer:")
    with st.container(horizontal=True):
        for row in alerts[:MOST_LINKS]:
            told = f"{row.risk} {row.at:%d %b %H:%M} {row.amount}"
            if st.button(told, key=f"case_link_{row.transaction}"):
                navigation.open_case(row.transaction)
                st.rerun()


def _shared(case: CaseFile, what: Shared, now_ms: int) -> None:
    found = case.shared[what]
    if isinstance(found, StoreUnavailable):
        away(f"Where else this {SHARED_WORDS[what]} was used")
        return
    st.text(shared_sentence(what, found, case.known, MOST_SHARED))
    if rows := elsewhere(found, case.known, case.verdict, now_ms):
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            column_config=_SHARED_COLUMNS,
            height="content" if len(rows) < 6 else _TABLE_HEIGHT_PX,  # noqa: PLR2004  as above
            key=f"case_shared_{what}",
        )
