"""Charts of a case: feature contributions, purchases over time, and their places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import altair as alt
import pandas as pd

from streamlit_app import world_map
from streamlit_app.case.history import TimelineRow, legs
from streamlit_app.case.view import ExplainedFeature
from streamlit_app.risk_marks import COLOURS, SHAPES

Layered = alt.LayerChart | alt.FacetChart  # alt.layer() returns either
# Orange and blue of Okabe and Ito: distinct for every kind of colour blindness.
_UP, _DOWN, _RING = "#d55e00", "#0072b2", "#000000"
_AXIS_SCALE: Final = 2.0  # times the largest contribution
_ROW_HEIGHT_PX, _CHART_HEIGHT_PX, _MAP_HEIGHT_PX = 44, 260, 340
_POINT_PX2, _RING_PX2 = 90, 420
# Name above value leaves room for the bars on a phone.
_TWO_LINES: Final = alt.Axis(
    labelExpr="split(datum.label, ': ')", labelLimit=220, labelOverlap=False
)
_TIP: Final = ("at:T", "amount:N", "merchant:N", "risk:N", "outcome:N", "reasons:N")


def contributions(rows: Sequence[ExplainedFeature], title: str) -> Layered:
    """Bar chart of feature contributions, largest on top, with value and normal value."""
    frame = pd.DataFrame([asdict(row) for row in rows])
    frame["label"] = frame["feature"] + ": " + frame["value"]
    frame["normal_text"] = "normal: " + frame["normal"]
    directions = list(frame["direction"].unique())
    largest = frame["contribution"].abs().max() or 1.0
    base = alt.Chart(frame).encode(
        y=alt.Y("label:N", sort=None, title=None, axis=_TWO_LINES),
        x=alt.X(
            "contribution:Q",
            title=title,
            # Room for the text at the end of a bar.
            scale=alt.Scale(
                domain=[
                    -_AXIS_SCALE * largest if frame["contribution"].min() < 0 else 0,
                    _AXIS_SCALE * largest,
                ]
            ),
        ),
        tooltip=["feature:N", "value:N", "normal:N", "contribution:Q", "meaning:N"],
    )
    bars = base.mark_bar().encode(
        color=alt.Color(
            "direction:N",
            title=None,
            legend=alt.Legend(orient="top"),
            scale=alt.Scale(
                domain=directions,
                range=[_DOWN if "away" in one or "below" in one else _UP for one in directions],
            ),
        )
    )
    to_right = base.transform_filter("datum.contribution > 0").mark_text(align="left", dx=5)
    to_left = base.transform_filter("datum.contribution <= 0").mark_text(align="right", dx=-5)
    text = alt.Text("normal_text:N")
    drawn = alt.layer(bars, to_right.encode(text=text), to_left.encode(text=text))
    return drawn.properties(height=_ROW_HEIGHT_PX * len(rows) + 100)


def amounts(rows: Sequence[TimelineRow]) -> Layered:
    """Chart of amounts over time; a ring marks the case."""
    frame = _frame(rows)
    base = alt.Chart(frame).encode(
        x=alt.X("at:T", title="Time", scale=alt.Scale(type="utc", padding=12)),
        y=alt.Y("amount_eur:Q", title="Amount (EUR)"),
        tooltip=list(_TIP),
    )
    points = base.mark_point(filled=True, size=_POINT_PX2, opacity=1).encode(**_risk(frame))
    return alt.layer(points, _ring(base)).properties(height=_CHART_HEIGHT_PX)


def places(rows: Sequence[TimelineRow]) -> Layered:
    """Map of the purchases and the legs between them; at least one row has a place."""
    frame = _frame([row for row in rows if row.place])
    frame_shown = world_map.frame_of([row.place for row in rows if row.place])
    base = alt.Chart(frame).encode(
        longitude="longitude:Q", latitude="latitude:Q", tooltip=list(_TIP)
    )
    points = base.mark_point(filled=True, size=_POINT_PX2, opacity=1).encode(**_risk(frame))
    layers: list[alt.Chart] = [world_map.outlines(frame_shown)]
    if travelled := legs(rows):
        layers.append(
            alt.Chart(pd.DataFrame([asdict(leg) for leg in travelled]))
            .mark_rule(strokeWidth=2, strokeDash=[5, 3], color="#444444", clip=True)
            .encode(
                longitude="longitude:Q",
                latitude="latitude:Q",
                longitude2="next_longitude:Q",
                latitude2="next_latitude:Q",
                tooltip=["distance:N", "took:N", "speed:N"],
            )
        )
    drawn = alt.layer(*layers, points, _ring(base))
    return drawn.project(type="mercator", fit=world_map.fit_to(frame_shown)).properties(
        height=_MAP_HEIGHT_PX
    )


def _frame(rows: Sequence[TimelineRow]) -> pd.DataFrame:
    # The highest risk is drawn last, on top of others.
    by_risk = list(COLOURS)
    ordered = sorted(rows, key=lambda row: -by_risk.index(row.risk))
    return pd.DataFrame([asdict(row) for row in ordered])


def _risk(frame: pd.DataFrame) -> dict[str, Any]:
    """Encode the risk levels that occur by colour and shape, in one legend."""
    words = [word for word in COLOURS if word in set(frame["risk"])]
    legend = alt.Legend(orient="top", title=None)
    colours = alt.Scale(domain=words, range=[COLOURS[word] for word in words])
    shapes = alt.Scale(domain=words, range=[SHAPES[word] for word in words])
    return {
        "color": alt.Color("risk:N", scale=colours, legend=legend),
        "shape": alt.Shape("risk:N", scale=shapes, legend=legend),
    }


def _ring(base: alt.Chart) -> alt.Chart:
    ring: alt.Chart = base.transform_filter("datum.is_case").mark_point(
        filled=False, size=_RING_PX2, stroke=_RING, strokeWidth=2.5, shape="circle"
    )
    return ring
