"""Charts of the Model page: reliability, and importance of features."""

from __future__ import annotations

from typing import Final

import altair as alt
import pandas as pd

Chart = alt.LayerChart | alt.FacetChart | alt.Chart  # alt.layer() returns either
# Blue and orange of Okabe and Ito: distinct for every kind of colour blindness.
_COLOURS: Final = ("#0072b2", "#d55e00")
_HEIGHT_PX: Final = 320
_PERCENT: Final = alt.Axis(format=".0%", tickCount=10)
_ROW_PX, _FRAME_PX = 34, 112  # legend and axis share the height with the bars


def reliability(points: pd.DataFrame) -> Chart:
    """Predicted against observed share of fraud, with 95 % intervals and the diagonal."""
    limits = alt.Scale(domain=[0, 1])
    base = alt.Chart(points).encode(
        x=alt.X("predicted:Q", title="Predicted share of fraud", scale=limits, axis=_PERCENT),
        color=_by_version(points),
        tooltip=[
            alt.Tooltip("version:N", title="Version"),
            alt.Tooltip("purchases:Q", title="Purchases", format=","),
            alt.Tooltip("predicted:Q", title="Predicted", format=".1%"),
            alt.Tooltip("observed:Q", title="Observed", format=".1%"),
        ],
    )
    observed = alt.Y("observed:Q", title="Observed share of fraud", scale=limits, axis=_PERCENT)
    rule = base.mark_rule().encode(y=alt.Y("low:Q", scale=limits), y2="high:Q")
    point = base.mark_point(filled=True, size=80).encode(y=observed, shape=_shape(points))
    ideal = alt.Chart(pd.DataFrame({"predicted": [0, 1], "observed": [0, 1]}))
    line = ideal.mark_line(color="#8a949e", strokeDash=[4, 4]).encode(
        x="predicted:Q", y="observed:Q"
    )
    return alt.layer(line, rule, point).properties(height=_HEIGHT_PX)


def importance(bars: pd.DataFrame) -> Chart:
    """Bars of the features' shares of the gain, one for each version."""
    names = list(dict.fromkeys(bars["feature"]))
    chart: Chart = (
        alt.Chart(bars)
        .mark_bar()
        .encode(
            y=alt.Y("feature:N", sort=names, title=None, axis=alt.Axis(labelLimit=260)),
            yOffset=alt.YOffset("version:N", sort=list(dict.fromkeys(bars["version"]))),
            x=alt.X("share:Q", title="Share of the gain", axis=alt.Axis(format=".0%")),
            color=_by_version(bars),
            tooltip=[
                alt.Tooltip("feature:N", title="Feature"),
                alt.Tooltip("version:N", title="Version"),
                alt.Tooltip("share:Q", title="Share of the gain", format=".1%"),
            ],
        )
        .properties(height=_ROW_PX * len(names) + _FRAME_PX)
    )
    return chart


def _by_version(frame: pd.DataFrame) -> alt.Color:
    versions = list(dict.fromkeys(frame["version"]))
    return alt.Color(
        "version:N",
        title=None,
        legend=alt.Legend(orient="top", labelLimit=300),
        scale=alt.Scale(domain=versions, range=list(_COLOURS[: len(versions)])),
    )


def _shape(frame: pd.DataFrame) -> alt.Shape:
    versions = list(dict.fromkeys(frame["version"]))
    shapes = ["circle", "square"][: len(versions)]
    return alt.Shape("version:N", legend=None, scale=alt.Scale(domain=versions, range=shapes))
