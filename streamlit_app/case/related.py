"""Parts of the case page about related purchases: the customer's timeline, and case links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd
import streamlit as st

from fraudwatch.application.console.casework import Shared
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.messages.transaction import Transaction
from streamlit_app import navigation
from streamlit_app.case import charts
from streamlit_app.case.history import TimelineRow, timeline
from streamlit_app.case.links import LINK_WORDS, case_links, link_summary
from streamlit_app.case.parts import unavailable
from streamlit_app.case.queries import DAYS_BACK, MAX_SHARED, CaseFile

MAX_LINKS: Final = 12
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
    "customer": st.column_config.Column("Customer"),
    "at": st.column_config.Column("Time"),
    "amount": st.column_config.TextColumn("Amount", alignment="right"),
    "merchant": st.column_config.Column("Merchant"),
    "risk": st.column_config.Column("Risk"),
    "label": st.column_config.Column("Label"),
    "transaction": st.column_config.Column("Transaction"),
}


def customer(case: CaseFile) -> None:
    """Draw the customer's purchases over time and on a map."""
    st.subheader(f"This customer, {DAYS_BACK} days", anchor=False)
    if isinstance(case.recent, StoreUnavailable):
        unavailable("The customer's purchases")
        return
    if isinstance(case.verdicts, StoreUnavailable):
        unavailable("The verdicts on these purchases")
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
    _links([row for row in rows if row.is_alert and not row.is_case])


def shared(case: CaseFile, now_ms: int) -> None:
    """Draw the case links: other purchases with the same card, device or IP network."""
    st.subheader("Same card, device or network", anchor=False)
    if not isinstance(case.purchase, Transaction):
        st.info("Case links need the purchase, which is not stored.")
        return
    if isinstance(case.known_labels, StoreUnavailable):
        unavailable("The labels of these purchases")
    for what in Shared:
        if what in case.shared:
            _shared(case, what, now_ms)
        else:
            st.text(f"This purchase has no {LINK_WORDS[what]}.")


def _map(rows: Sequence[TimelineRow]) -> None:
    if any(row.place for row in rows):
        st.altair_chart(charts.places(rows), width="stretch")
    else:
        st.info("No map: none of these purchases has a place.")


def _links(alerts: Sequence[TimelineRow]) -> None:
    """Draw a button for each alert: it works by keyboard and keeps the login of this window."""
    if not alerts:
        return
    st.text("Other alerts of this customer:")
    with st.container(horizontal=True):
        for row in alerts[:MAX_LINKS]:
            text = f"{row.risk} {row.at:%d %b %H:%M} {row.amount}"
            if st.button(text, key=f"case_link_{row.transaction}"):
                navigation.open_case(row.transaction)
                st.rerun()


def _shared(case: CaseFile, what: Shared, now_ms: int) -> None:
    found = case.shared[what]
    if isinstance(found, StoreUnavailable):
        unavailable(f"The list of purchases with this {LINK_WORDS[what]}")
        return
    st.text(link_summary(what, found, case.known, MAX_SHARED))
    if rows := case_links(found, case.known, case.verdict, now_ms):
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            column_config=_SHARED_COLUMNS,
            height="content" if len(rows) < 6 else _TABLE_HEIGHT_PX,  # noqa: PLR2004  as above
            key=f"case_links_{what}",
        )
