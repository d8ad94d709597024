"""Parts of the case page about the purchase itself: risk, reasons, explanation, fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd
import streamlit as st

from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.messages.refund import Refund
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Verdict
from streamlit_app.case import charts, view
from streamlit_app.case.purchase import FieldGroup, groups_of
from streamlit_app.case.refund_text import refund_sentence
from streamlit_app.case.view import ExplainedFeature
from streamlit_app.risk_marks import MARK_TINT, TINTS
from streamlit_app.view_models import NO_REASON, RISK_WORDS

_BADGE: Final = "font-weight: 700; padding: 4px 12px; border-radius: 6px"
GROUP_WIDTH_PX: Final = 270  # four in a row on a wide screen, one on a phone


def unavailable(what: str) -> None:
    """Show an error in place of a part that the store did not answer."""
    st.error(
        f"{what} cannot be shown: the store (Cassandra) does not answer. Nothing is lost. Run "
        "`./fraudwatch status` to see what is down, then reload the page."
    )


def badges(verdict: Verdict) -> None:
    """Draw the risk level as colour, shape and word, and beside it what overruled the score."""
    words = [(TINTS[verdict.risk], RISK_WORDS[verdict.risk])]
    words += [(MARK_TINT, mark) for mark in view.marks(verdict)]
    st.html(" ".join(f'<span style="{tint}; {_BADGE}">{word}</span>' for tint, word in words))


def figure(name: str, value: str) -> None:
    """Draw one of the figures at the top."""
    st.metric(name, value, border=True, width="content")


def refunds(verdict: Verdict, given_back: Sequence[Refund] | StoreUnavailable) -> None:
    """Draw how much of the purchase was given back, if anything."""
    if isinstance(given_back, StoreUnavailable):
        unavailable("What was refunded")
    elif sentence := refund_sentence(verdict, given_back):
        st.text(sentence)


def reasons(verdict: Verdict) -> None:
    """Draw the reasons, strongest first, and what the score means."""
    st.subheader("Why", anchor=False)
    with st.container(gap="xsmall"):
        for text, rule in view.reason_lines(verdict):
            st.text(text, help=f"Rule `{rule}`")
        if not verdict.reasons:
            st.text(NO_REASON)
        for line in (*view.score_lines(verdict), *view.model_lines(verdict)):
            st.text(line)


def explanation(verdict: Verdict) -> None:
    """Draw the explanation frozen at scoring time, as a chart and as a table."""
    st.subheader("Explanation of the model", anchor=False)
    rows = view.explained_features(verdict)
    if not rows and not view.is_explained(verdict):
        st.info(
            "Only High and Critical verdicts have an explanation; the reasons above are complete."
        )
    elif not rows:
        st.info("No explanation: this purchase was scored by rules only.")
    else:
        title = view.contribution_title(verdict)
        chart, table = st.columns([3, 2])
        with chart:
            st.altair_chart(charts.contributions(rows, title), width="stretch")
        with table:
            _explained_table(rows, title)


def purchase(bought: Transaction | StoreUnavailable | None, now_ms: int) -> None:
    """Draw the fields of the purchase, in groups."""
    st.subheader("The purchase", anchor=False)
    if isinstance(bought, StoreUnavailable):
        unavailable("The purchase")
    elif bought is None:
        st.info(
            "The purchase is not stored: it has not arrived yet, or its retention has ended. The "
            "verdict above has its summary."
        )
    else:
        with st.container(horizontal=True):
            for group in groups_of(bought, now_ms):
                _group(group)


def _group(group: FieldGroup) -> None:
    with st.container(border=True, width=GROUP_WIDTH_PX, gap="xsmall"):
        st.markdown(f"**{group.title}**")
        for field in group.fields:
            full = None if field.full is None else f"Full token: `{field.full}`"
            st.text(f"{field.name}: {field.text}", help=full)


def _explained_table(rows: Sequence[ExplainedFeature], title: str) -> None:
    columns = {
        "feature": st.column_config.Column("Feature"),
        "value": st.column_config.Column("Value"),
        "normal": st.column_config.Column(
            "Normal", help="For this customer if known, else for all customers"
        ),
        "contribution": st.column_config.NumberColumn("Contribution", format="%.2f", help=title),
        "direction": st.column_config.Column("Direction"),
        "meaning": st.column_config.Column("Meaning"),
    }
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=columns)
