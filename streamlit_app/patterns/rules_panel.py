"""Panel of rules: how often each one hit, as a chart and as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import altair as alt
import pandas as pd
import streamlit as st

from fraudwatch.domain.evaluation.labelled_alerts import RuleLabelCounts
from streamlit_app.patterns.charts import BLUE, Chart, name_axis
from streamlit_app.patterns.rules import FRAUD_SHARE, rule_rows, rule_table
from streamlit_app.patterns.tally_sums import TallySums

_ROW_HEIGHT_PX, _FRAME_HEIGHT_PX = 24, 60
_COLUMNS: Final = {
    "Per 1,000 purchases": st.column_config.NumberColumn(format="%.2f"),
    FRAUD_SHARE: st.column_config.NumberColumn(
        format="%.1f %%", help="Of the purchases that the rule hit and that have a label"
    ),
}


def rules(current: TallySums, before: TallySums, truths: Mapping[str, RuleLabelCounts]) -> None:
    """Draw how often each rule hit, and the share of fraud among labelled hits."""
    if not current.all.purchases:
        return
    st.subheader("Rules", anchor=False)
    rows = rule_rows(current, before, truths)
    if rows.empty:
        st.info("No rule hit a purchase of these days.")
        return
    drawn, listed = st.columns(2)
    drawn.altair_chart(rule_bars(rows))
    listed.dataframe(rule_table(rows), hide_index=True, column_config=_COLUMNS)
    st.caption(
        "A purchase counts under every rule that hit it. Chargebacks report frauds and hardly ever "
        "genuine purchases, so with few analyst decisions the share of fraud is too high."
    )


def rule_bars(rows: pd.DataFrame) -> Chart:
    """Bar chart of hits per 1,000 purchases by rule."""
    names = list(rows["name"])
    base = alt.Chart(rows).encode(
        x=alt.X("per_thousand:Q", title="Hits per 1,000 purchases"),
        y=alt.Y("name:N", sort=names, title=None, axis=name_axis(names)),
        tooltip=[
            alt.Tooltip("name:N", title="Rule"),
            alt.Tooltip("counts:N", title="Purchases hit"),
            alt.Tooltip("per_thousand_before:N", title="Per 1,000 before"),
            alt.Tooltip("fraud_words:N", title=FRAUD_SHARE),
        ],
    )
    hits = base.mark_text(align="left", dx=5, fontSize=11).encode(text="hits:Q")
    drawn: Chart = alt.layer(base.mark_bar(color=BLUE), hits).properties(
        height=_ROW_HEIGHT_PX * len(names) + _FRAME_HEIGHT_PX
    )
    return drawn
