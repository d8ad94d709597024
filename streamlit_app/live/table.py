"""The live list: one line an alert or a burst; a click on a line opens its case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd
import streamlit as st

from streamlit_app import alert_table
from streamlit_app.live.groups import Group
from streamlit_app.live.lines import Line, case_of, line_of
from streamlit_app.live.status import Status

_NAME: Final = "live"
_COLUMNS: Final = {
    "age_seconds": st.column_config.NumberColumn("Age", format="%d s", width=68),
    "decided_at": st.column_config.TextColumn("Time", width=84),
    "merchant": st.column_config.TextColumn("Merchant", width=108),
    "country": st.column_config.TextColumn("Country", width=68, help="Seller's country"),
    "customer": st.column_config.TextColumn("Customer", width=86, help="Token, shortened"),
    "outcome": st.column_config.TextColumn("Outcome", width=82),
    "card": st.column_config.TextColumn("Card", width=80),
    "channel": st.column_config.TextColumn("Channel", width=100),
    "payment": st.column_config.TextColumn("Payment", width=140),
    "score": st.column_config.NumberColumn("Score", format="%.2f", width=60),
}


def draw(groups: Sequence[Group], now_ms: int, status: Status, login: str) -> list[Line]:
    """Show one line a group, and return the lines."""
    lines = [line_of(group, now_ms, status, login) for group in groups]
    cases = [case_of(group, status, login) for group in groups]
    # In a column of its own, as cells have no tooltip and a click opens the case.
    all_reasons = st.column_config.TextColumn(
        "All reasons", width=alert_table.width_of([line.reasons for line in lines])
    )
    alert_table.draw(_NAME, pd.DataFrame(lines), cases, _COLUMNS | {"reasons": all_reasons})
    return lines


def clicked_case() -> str | None:
    """Return the case of the clicked line, once."""
    return alert_table.clicked_case(_NAME)
