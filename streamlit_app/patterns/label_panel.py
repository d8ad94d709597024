"""Trend charts of labels: false positives and value caught by day."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from streamlit_app.patterns.label_rows import label_table
from streamlit_app.patterns.labels import NO_LABELS
from streamlit_app.patterns.panels import as_table
from streamlit_app.patterns.period import Period
from streamlit_app.patterns.trend_charts import false_positive_trend, value_caught_trend


def label_trends(rows: pd.DataFrame, period: Period) -> None:
    """Draw false positives and value caught by day, or why there are none."""
    st.subheader("Labels by day", anchor=False)
    if rows.empty:
        st.info(f"There are {NO_LABELS} on purchases of these days.")
        return
    series = (period.words, period.before_words)
    left, right = st.columns(2)
    if rows["false_positive_ratio"].notna().any():
        left.altair_chart(false_positive_trend(rows, series))
    else:
        left.info("False positives: no analyst has decided an alert of these days yet.")
    if rows["caught_eur"].notna().any():
        right.altair_chart(value_caught_trend(rows, series))
    else:
        right.info("Value caught: no purchase of these days is labelled fraud yet.")
    as_table(label_table(rows))
