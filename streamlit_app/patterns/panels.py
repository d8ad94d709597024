"""Panels of the patterns page, each a chart and the same data as a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fraudwatch.domain.tally import Dimension
from streamlit_app import world_map
from streamlit_app.patterns import charts as patterns_charts
from streamlit_app.patterns import trend_charts as patterns_trend_charts
from streamlit_app.patterns.figures import PanelFigure
from streamlit_app.patterns.period import Period
from streamlit_app.patterns.rates import TOO_FEW
from streamlit_app.patterns.tally_sums import TallySums
from streamlit_app.patterns.view import (
    TITLES,
    group_rows,
    heat_rows,
    not_drawn,
    table,
    trend_rows,
    weekdays_of,
)

Place = DeltaGenerator
METRIC_WIDTH_PX: Final = 160  # two side by side on a phone
_WIDE_METRIC_PX, _FITS = 210, 20  # for longer changes, which would be cut
MAX_BARS: Final = 15
_MIN_PURCHASES: Final = (1, 10, TOO_FEW, 100, 300, 1_000)
_RANKED: Final = (
    (Dimension.MERCHANT, "Merchants", "Merchant"),
    (Dimension.CATEGORY, "Categories", "Category"),
)
_COLUMNS: Final = {
    TITLES["rate"]: st.column_config.NumberColumn(format="%.2f %%"),
    TITLES["change"]: st.column_config.TextColumn(
        help="In percentage points, compared with the whole period before"
    ),
    TITLES["state"]: st.column_config.TextColumn(help=f"{TOO_FEW} purchases are enough"),
}


def metrics(place: Place, shown: Iterable[PanelFigure]) -> None:
    """Draw the figures at the top; no colour, as more alerts are neither good nor bad."""
    for figure in shown:
        place.metric(
            figure.label,
            figure.value,
            figure.change.words,
            delta_arrow=figure.change.arrow,
            delta_color="off",
            help=figure.meaning,
            border=True,
            width=METRIC_WIDTH_PX if len(figure.change.words) <= _FITS else _WIDE_METRIC_PX,
        )


def groups(current: TallySums, before: TallySums, period: Period) -> None:
    """Draw alert rates by country, merchant, category, and weekday and hour."""
    if not current.groups and not current.hours:
        return
    _countries(current, before)
    _ranked(current, before)
    _hours(current, period)


def alert_trend(current: TallySums, before: TallySums, period: Period) -> None:
    """Draw the alert rate over time, with the period before."""
    rows = trend_rows(current, before, period)
    if rows.empty:
        return
    by, at = ("hour", "Hour") if period.days == 1 else ("day", "Day")
    st.subheader(f"Alert rate by {by}", anchor=False)
    series = (period.words, period.before_words)
    st.altair_chart(patterns_trend_charts.alert_trend(rows, series, at=at))
    as_table(table(rows, first=at))


def as_table(rows: pd.DataFrame) -> None:
    """Draw the data of a chart as a table, for readers who cannot use the chart."""
    with st.expander("Show as table"):
        _table(rows)


def _countries(current: TallySums, before: TallySums) -> None:
    st.subheader("By merchant country", anchor=False)
    features = world_map.countries()
    names = {page["properties"]["iso_alpha2"]: page["properties"]["name"] for page in features}
    rows = group_rows(
        current.group(Dimension.COUNTRY), before.group(Dimension.COUNTRY), names=names
    )
    if rows.empty:
        st.info("No purchase of these days has a merchant country.")
        return
    drawn, listed = st.columns([3, 2])
    drawn.vega_lite_chart(patterns_charts.world(features, rows))
    missing = not_drawn(rows["value"], names)
    drawn.caption(
        f"Grey: fewer than {TOO_FEW} purchases, too few for a rate. Palest: no purchases."
        + (f" Too small to be drawn: {', '.join(missing)}." if missing else "")
    )
    with listed:
        _table(table(rows, first="Country"))


def _ranked(current: TallySums, before: TallySums) -> None:
    minimum = st.select_slider(
        "Minimum number of purchases",
        _MIN_PURCHASES,
        value=TOO_FEW,
        key="patterns_min_purchases",
        width=420,
    )
    st.caption(
        "Bars are alert rates, thin lines their 95 % intervals (Wilson). Groups with fewer than "
        f"{TOO_FEW} purchases are marked as too few."
    )
    for column, (dimension, title, first) in zip(st.columns(len(_RANKED)), _RANKED, strict=True):
        rows = group_rows(current.group(dimension), before.group(dimension), min_purchases=minimum)
        with column:
            st.subheader(title, anchor=False)
            _bars(rows, title.lower(), first)


def _bars(rows: pd.DataFrame, title: str, first: str) -> None:
    if rows.empty:
        st.info(f"No {title} with at least that many purchases in these days.")
        return
    st.altair_chart(patterns_charts.bars(rows.head(MAX_BARS)))
    if len(rows) > MAX_BARS:
        st.caption(f"The first {MAX_BARS} of {len(rows):,}; the table shows all.")
    as_table(table(rows, first=first))


def _hours(current: TallySums, period: Period) -> None:
    if not current.hours:
        return
    weekdays = weekdays_of(period)
    rows = heat_rows(current, weekdays)
    st.subheader("By weekday and hour", anchor=False)
    st.altair_chart(patterns_charts.heat(rows, weekdays))
    st.caption(f"Grey: fewer than {TOO_FEW} purchases, too few for a rate; future hours have none.")
    as_table(table(rows[rows["purchases"] > 0], first="Hour"))


def _table(rows: pd.DataFrame) -> None:
    st.dataframe(rows, hide_index=True, column_config=_COLUMNS)
