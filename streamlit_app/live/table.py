"""The live list: one line an alert or a burst; a click on a line opens its case."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from fraudwatch.application.alerts import ALERT_RISKS
from fraudwatch.domain.verdict import Risk
from streamlit_app.live.groups import Group
from streamlit_app.live.lines import case_of, line_of
from streamlit_app.live.status import Status
from streamlit_app.risk_marks import TINTS
from streamlit_app.view_models import RISK_WORDS

# Below 4 rem (of 14 px) the table cuts the reasons instead of wrapping them onto a second line.
ROW_HEIGHT_PX, HEADER_HEIGHT_PX = 57, 36
MOST_ROWS_VISIBLE = 11
_DRAWN, _VISIT = "live_drawn_cases", "live_visit"
_RISK_STYLES = {
    RISK_WORDS[risk]: f"{TINTS[risk]}; font-weight: {700 if risk is not Risk.MEDIUM else 600}"
    for risk in ALERT_RISKS
}
# Not pinned: the table fades the letters of pinned columns.
_COLUMNS = {
    "risk": st.column_config.TextColumn("Risk", width=92),
    "amount": st.column_config.TextColumn("Amount", width=116, alignment="right"),
    "reasons": st.column_config.TextColumn("Why", width=440),
    "status": st.column_config.TextColumn("Status", width=112),
    "age_seconds": st.column_config.NumberColumn("Age", format="%d s", width=68),
    "decided_at": st.column_config.TextColumn("Time (UTC)", width=84),
    "merchant": st.column_config.TextColumn("Merchant", width=108),
    "country": st.column_config.TextColumn("Country", width=68, help="Seller's country"),
    "customer": st.column_config.TextColumn("Customer", width=86, help="Token, shortened"),
    "outcome": st.column_config.TextColumn("Outcome", width=82),
    "card": st.column_config.TextColumn("Card", width=80),
    "channel": st.column_config.TextColumn("Channel", width=100),
    "payment": st.column_config.TextColumn("Payment", width=140),
    "score": st.column_config.NumberColumn("Score", format="%.2f", width=60),
    "transaction": st.column_config.TextColumn("Transaction", width=180),
}


def draw(groups: Sequence[Group], now_ms: int, status: Status, login: str) -> None:
    """Show the lines, and remember which case each of them opens."""
    st.session_state[_DRAWN] = [case_of(group, status, login) for group in groups]
    rows = pd.DataFrame([line_of(group, now_ms, status, login) for group in groups])
    visible = min(len(rows), MOST_ROWS_VISIBLE)
    st.dataframe(
        rows.style.map(lambda word: _RISK_STYLES.get(word, ""), subset=["risk"]),
        key=_key(),
        on_select="rerun",
        # A cell, not a row: its whole line can be hit, not a box of a few pixels at its edge.
        selection_mode="single-cell",
        hide_index=True,
        column_config=_COLUMNS,
        row_height=ROW_HEIGHT_PX,
        height=visible * ROW_HEIGHT_PX + HEADER_HEIGHT_PX + 2,
    )


def clicked_case() -> str | None:
    """The case of the line that was clicked; told once.

    It is looked up in what was on the screen at the click: by now, newer alerts may stand there.
    """
    cells = st.session_state.get(_key(), {}).get("selection", {}).get("cells", [])
    if not cells:
        return None
    # The next list is another widget, so that this click is not there when one comes back.
    st.session_state[_VISIT] = st.session_state.get(_VISIT, 0) + 1
    drawn: list[str] = st.session_state.get(_DRAWN, [])
    row = int(cells[0][0])
    return drawn[row] if row < len(drawn) else None


def _key() -> str:
    return f"live_alerts_{st.session_state.get(_VISIT, 0)}"
