"""Table of alerts for the live list and the queue: a click on a row opens its case."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
import streamlit as st

from fraudwatch.application.console.alerts import ALERT_RISKS
from fraudwatch.domain.messages.verdict import Risk
from streamlit_app.risk_marks import TINTS
from streamlit_app.view_models import RISK_WORDS

# Below 4 rem (of 14 px) the table cuts texts instead of wrapping them onto a second line.
ROW_HEIGHT_PX, HEADER_HEIGHT_PX = 57, 36
MAX_ROWS_VISIBLE: Final = 11
# Two lines of 12 px letters hold LIST_CHARACTERS; more would be cut within a sentence.
_WHY_WIDTH_PX: Final = 460
_CHARACTER_WIDTH_PX, _WIDTH_STEP_PX = 5.4, 200
_RISK_STYLES: Final = {
    RISK_WORDS[risk]: f"{TINTS[risk]}; font-weight: {700 if risk is not Risk.MEDIUM else 600}"
    for risk in ALERT_RISKS
}
# Not pinned: the table fades the letters of pinned columns.
COLUMNS: Final = {
    "risk": st.column_config.TextColumn("Risk", width=92),
    "amount": st.column_config.TextColumn("Amount", width=116, alignment="right"),
    "reason": st.column_config.TextColumn("Why", width=_WHY_WIDTH_PX, help="Strongest reason"),
    "status": st.column_config.TextColumn("Status", width=112),
    "transaction": st.column_config.TextColumn("Transaction", width=180),
}


def draw(name: str, rows: pd.DataFrame, cases: Sequence[str], columns: Mapping[str, Any]) -> None:
    """Show the rows, and remember the case that each of them opens."""
    st.session_state[_drawn(name)] = list(cases)
    visible = min(len(rows), MAX_ROWS_VISIBLE)
    st.dataframe(
        rows.style.map(lambda word: _RISK_STYLES.get(word, ""), subset=["risk"]),
        key=_key(name),
        on_select="rerun",
        # A cell, not a row: the line can be clicked anywhere, not only at a box at its edge.
        selection_mode="single-cell",
        hide_index=True,
        column_config=COLUMNS | dict(columns),
        row_height=ROW_HEIGHT_PX,
        height=visible * ROW_HEIGHT_PX + HEADER_HEIGHT_PX + 2,
    )


def clicked_case(name: str) -> str | None:
    """Return the case of the clicked row, once.

    It is looked up in what was on the screen at the click: newer alerts may have come since.
    """
    cells = st.session_state.get(_key(name), {}).get("selection", {}).get("cells", [])
    if not cells:
        return None
    # The next table is another widget, so that this click is not there when one comes back.
    st.session_state[_visit(name)] = st.session_state.get(_visit(name), 0) + 1
    drawn: list[str] = st.session_state.get(_drawn(name), [])
    row = int(cells[0][0])
    return drawn[row] if row < len(drawn) else None


def width_of(texts: Sequence[str]) -> int:
    """Width in px at which the longest text fits into a cell's two lines.

    In steps, so that a column keeps its width while the texts change a little.
    """
    # A tenth more than half the text: lines wrap at words, before the edge.
    line_px = max(map(len, texts), default=0) * _CHARACTER_WIDTH_PX * 0.55
    return max(2, math.ceil(line_px / _WIDTH_STEP_PX)) * _WIDTH_STEP_PX


def _key(name: str) -> str:
    return f"{name}_alerts_{st.session_state.get(_visit(name), 0)}"


def _drawn(name: str) -> str:
    return f"{name}_drawn_cases"


def _visit(name: str) -> str:
    return f"{name}_visit"
