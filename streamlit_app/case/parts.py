"""Parts of the case screen that tell of the purchase itself: risk, reasons, explanation, fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd
import streamlit as st

from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.transaction import Transaction
from fraudwatch.domain.verdict import Risk, Verdict
from streamlit_app.case import charts, view
from streamlit_app.case.purchase import Group, groups_of
from streamlit_app.case.view import Explained
from streamlit_app.risk_marks import TINTS
from streamlit_app.view_models import RISK_WORDS

GROUP_WIDTH_PX: Final = 270  # four beside each other on a wide screen, one on a phone


def away(what: str) -> None:
    """A part of the screen that the store did not answer, in its place."""
    st.error(
        f"{what} cannot be shown: the store (Cassandra) does not answer. Nothing is lost. Run "
        "`./fraudwatch status` to see what is down, then look again."
    )


def risk_badge(risk: Risk) -> None:
    """The risk as colour, shape and word."""
    style = f"{TINTS[risk]}; font-weight: 700; padding: 4px 12px; border-radius: 6px"
    st.html(f'<span style="{style}">{RISK_WORDS[risk]}</span>')


def figure(name: str, value: str) -> None:
    """One of the numbers on top."""
    st.metric(name, value, border=True, width="content")


def reasons(verdict: Verdict) -> None:
    """Why it was flagged, most points first, and how that became the score."""
    st.subheader("Why", anchor=False)
    with st.container(gap="xsmall"):
        for reason in verdict.reasons:
            st.text(f"{reason.points} points · {reason.text}", help=f"Rule `{reason.rule}`")
        if not verdict.reasons:
            st.text("No rule explains it.")
        st.text(view.score_line(verdict))
        for line in view.model_lines(verdict):
            st.text(line)


def explanation(verdict: Verdict) -> None:
    """What the model saw, frozen as it was at the decision; the table says the same in text."""
    st.subheader("What the model saw", anchor=False)
    rows = view.explained(verdict)
    if not rows and not view.is_explained(verdict):
        st.info("No explanation is kept below High: the reasons above are all there is.")
    elif not rows:
        st.info(
            "No model spoke when this was judged, so there is nothing to explain but the rules."
        )
    else:
        title = view.contribution_title(verdict)
        chart, table = st.columns([3, 2])
        with chart:
            st.altair_chart(charts.contributions(rows, title), width="stretch")
        with table:
            _explained_table(rows, title)


def purchase(bought: Transaction | StoreUnavailable | None, now_ms: int) -> None:
    """Every field that helps, in groups."""
    st.subheader("The purchase", anchor=False)
    if isinstance(bought, StoreUnavailable):
        away("The purchase")
    elif bought is None:
        st.info(
            "The purchase is not stored: it is still on its way, or older than what is kept. "
            "The verdict above carries its summary."
        )
    else:
        with st.container(horizontal=True):
            for group in groups_of(bought, now_ms):
                _group(group)


def _group(group: Group) -> None:
    with st.container(border=True, width=GROUP_WIDTH_PX, gap="xsmall"):
        st.markdown(f"**{group.title}**")
        for field in group.fields:
            whole = None if field.whole is None else f"Whole token: `{field.whole}`"
            st.text(f"{field.name}: {field.text}", help=whole)


def _explained_table(rows: Sequence[Explained], title: str) -> None:
    columns = {
        "feature": st.column_config.Column("Feature"),
        "value": st.column_config.Column("Here"),
        "normal": st.column_config.Column(
            "Normal", help="For this customer where that is known, else for all"
        ),
        "contribution": st.column_config.NumberColumn("Contribution", format="%.2f", help=title),
        "direction": st.column_config.Column("Speaks"),
        "meaning": st.column_config.Column("Meaning"),
    }
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=columns)
