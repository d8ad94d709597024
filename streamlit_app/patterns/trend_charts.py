"""Trend charts of the patterns page; the period before is a thin dashed line."""

from __future__ import annotations

from typing import Final

import altair as alt
import pandas as pd

from streamlit_app.patterns.charts import BLUE, RATE_AXIS, Chart, rate_tooltips

_ORANGE: Final = "#b35c00"  # distinct from the blue for every kind of colour blindness
_HEIGHT_PX: Final = 260


def alert_trend(rows: pd.DataFrame, series: tuple[str, str], *, at: str) -> Chart:
    """Trend of the alert rate, with the period before."""
    y = alt.Y(title="Alert rate", axis=RATE_AXIS)
    return _lines(rows, "rate", y, series, at=at, tooltip=rate_tooltips())


def false_positive_trend(rows: pd.DataFrame, series: tuple[str, str]) -> Chart:
    """Trend of the share of genuine purchases among alerts decided by analysts, by day."""
    y = alt.Y(title="False positives", axis=RATE_AXIS)
    return _lines(rows, "false_positive_ratio", y, series, at="Day", tooltip=_label_tooltips())


def value_caught_trend(rows: pd.DataFrame, series: tuple[str, str]) -> Chart:
    """Trend of the amount of fraud with an alert, by day."""
    y = alt.Y(title="Value caught, EUR", axis=alt.Axis(format=",.0f"))
    return _lines(rows, "caught_eur", y, series, at="Day", tooltip=_label_tooltips())


def _lines(
    rows: pd.DataFrame,
    field: str,
    y: alt.Y,
    series: tuple[str, str],
    *,
    at: str,
    tooltip: list[alt.Tooltip],
) -> Chart:
    # Vega warns of a line without points, and its legend would name it all the same.
    colors = dict(zip(series, (BLUE, _ORANGE), strict=True))
    known = rows[rows[field].notna()]
    shown = [name for name in series if name in set(known["series"])]
    base = alt.Chart(known).encode(
        x=alt.X("at:O", title=at, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        y=y.field(field).type("quantitative"),
        tooltip=tooltip,
        color=alt.Color(
            "series:N",
            title=None,
            scale=alt.Scale(domain=shown, range=[colors[name] for name in shown]),
            legend=alt.Legend(orient="top"),
        ),
    )
    now, before = (base.transform_filter(alt.datum.series == name) for name in series)
    lines = {
        series[1]: before.mark_line(strokeWidth=1, strokeDash=[4, 3], point={"size": 12}),
        series[0]: now.mark_line(strokeWidth=2.5, point={"size": 40}),
    }
    drawn: Chart = alt.layer(*(lines[name] for name in lines if name in shown)).properties(
        height=_HEIGHT_PX
    )
    return drawn


def _label_tooltips() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("day:N", title="Day"),
        alt.Tooltip("decided:N", title="Genuine among decided alerts"),
        alt.Tooltip("caught_words:N", title="Value caught, EUR"),
        alt.Tooltip("known_eur:Q", title="Known fraud, EUR", format=",.0f"),
        alt.Tooltip("caught:Q", title="Frauds caught"),
        alt.Tooltip("missed:Q", title="Frauds missed"),
    ]
