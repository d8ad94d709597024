"""Charts of the patterns page: bars, world map, heat map."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import altair as alt
import pandas as pd

from streamlit_app.patterns.view import ENOUGH, TOO_FEW_TEXT

Chart = alt.LayerChart | alt.FacetChart | alt.Chart

BLUE, GREY, LAND = "#1d4e89", "#aab4bf", "#f1f4f7"
_NO_PURCHASES: Final = "no purchases"
# Light to dark means low to high risk, also in grey and for colour-blind readers.
_SCALE: Final = alt.Scale(scheme="cividis", reverse=True, domainMin=0)
RATE_AXIS: Final = alt.Axis(format=".1%")
_ROW_HEIGHT_PX, _MAP_HEIGHT_PX = 24, 380
_WEEKDAY_HEIGHT_PX, _HEAT_FRAME_PX = 24, 200  # two legends and the hours
_CHARACTER_WIDTH_PX, _LONGEST_NAME_PX, _NAME_GAP_PX = 6.5, 180, 8
_FRAME_HEIGHT_PX: Final = 112  # legend and axis of the bars, which share the height with them
_RATE_TOOLTIPS: Final = {
    "name:N": "",
    "rate_words:N": "Alert rate",
    "counts:N": "Alerts of purchases",
    "interval:N": "95 % interval",
    "state:N": "Enough data?",
}


def bars(rows: pd.DataFrame) -> Chart:
    """Bar chart of ranked alert rates with intervals; grey where there are too few purchases."""
    names = list(rows["name"])
    base = alt.Chart(rows).encode(
        y=alt.Y("name:N", sort=names, title=None, axis=name_axis(names)),
        tooltip=rate_tooltips(),
    )
    bar = base.mark_bar().encode(
        x=alt.X("rate:Q", title="Alert rate", axis=RATE_AXIS),
        color=alt.Color(
            "state:N",
            title=None,
            scale=alt.Scale(domain=[ENOUGH, TOO_FEW_TEXT], range=[BLUE, GREY]),
            legend=alt.Legend(orient="top"),
        ),
    )
    interval = base.mark_rule(color="#17212b", opacity=0.55).encode(x="low:Q", x2="high:Q")
    counts = base.mark_text(align="left", dx=5, fontSize=11).encode(x="high:Q", text="counts:N")
    return alt.layer(bar, interval, counts).properties(
        height=_ROW_HEIGHT_PX * len(names) + _FRAME_HEIGHT_PX
    )


def name_axis(names: Sequence[str]) -> alt.Axis:
    """Axis with room for the longest name.

    Vega measures names before their font has loaded, in a narrower one, and would cut them.
    """
    longest_px = max(map(len, names), default=0) * _CHARACTER_WIDTH_PX
    room_px = min(longest_px, _LONGEST_NAME_PX)
    return alt.Axis(labelLimit=room_px, minExtent=room_px + _NAME_GAP_PX, labelOverlap=False)


def world(features: Iterable[dict[str, Any]], rows: pd.DataFrame) -> dict[str, Any]:
    """World map of alert rates by merchant country; grey where there are too few purchases.

    Returns a Vega-Lite document with the outlines added last: Altair copies and validates each of
    their points repeatedly, which takes most of a second.
    """
    by_code: dict[Any, dict[Any, Any]] = rows.set_index("value").to_dict("index")
    shapes: dict[str, list[dict[str, Any]]] = {_NO_PURCHASES: [], TOO_FEW_TEXT: [], ENOUGH: []}
    for feature in features:
        row = by_code.get(feature["properties"]["iso_alpha2"])
        # Only plain fields: a tooltip cannot show a nested one.
        shapes[row["state"] if row else _NO_PURCHASES].append(feature | (row or {}))
    layers = [
        _shapes(_NO_PURCHASES, LAND),
        _shapes(TOO_FEW_TEXT, GREY).encode(tooltip=rate_tooltips()),
    ]
    if shapes[ENOUGH]:
        legend = alt.Legend(format=".1%", orient="bottom", gradientLength=180)
        fill = alt.Fill("rate:Q", title="Alert rate", scale=_SCALE, legend=legend)
        layers.append(_shapes(ENOUGH, LAND).encode(fill=fill, tooltip=rate_tooltips()))
    chart = alt.layer(*layers).project("naturalEarth1").properties(height=_MAP_HEIGHT_PX)
    drawn: dict[str, Any] = chart.configure_view(stroke=None).to_dict()
    return drawn | {"datasets": shapes}


def heat(rows: pd.DataFrame, weekdays: tuple[str, ...]) -> Chart:
    """Heat map of alert rates by weekday and hour; grey where there are too few purchases."""
    few, enough = (rows[(rows["state"] == ENOUGH) == has_enough] for has_enough in (False, True))
    layers = []
    if len(few):
        # Fill here and colour there, so that each has its own scale and legend.
        scale = alt.Scale(domain=[TOO_FEW_TEXT], range=[GREY])
        fill = alt.Fill("state:N", title=None, scale=scale, legend=alt.Legend(orient="top"))
        layers.append(_cells(few, weekdays).mark_rect().encode(fill=fill))
    if len(enough):
        legend = alt.Legend(format=".1%", orient="bottom", gradientLength=180)
        color = alt.Color("rate:Q", title="Alert rate", scale=_SCALE, legend=legend)
        layers.append(_cells(enough, weekdays).mark_rect().encode(color=color))
    height_px = _WEEKDAY_HEIGHT_PX * len(weekdays) + _HEAT_FRAME_PX
    drawn: Chart = alt.layer(*layers).properties(height=height_px)
    return drawn


def _cells(rows: pd.DataFrame, weekdays: tuple[str, ...]) -> alt.Chart:
    hours = [f"{hour:02d}" for hour in range(24)]
    axis = alt.Axis(labelAngle=0, labelOverlap=True)
    cells: alt.Chart = alt.Chart(rows).encode(
        x=alt.X("hour:O", title="Hour of the purchase", scale=alt.Scale(domain=hours), axis=axis),
        y=alt.Y("weekday:O", title=None, scale=alt.Scale(domain=list(weekdays))),
        tooltip=rate_tooltips(),
    )
    return cells


def _shapes(dataset: str, fill: str) -> alt.Chart:
    drawn: alt.Chart = alt.Chart(alt.NamedData(dataset)).mark_geoshape(
        fill=fill, stroke="#8d99a6", strokeWidth=0.4
    )
    return drawn


def rate_tooltips() -> list[alt.Tooltip]:
    """Tooltips of a rate: its counts and interval as well."""
    return [alt.Tooltip(field, title=title or " ") for field, title in _RATE_TOOLTIPS.items()]
