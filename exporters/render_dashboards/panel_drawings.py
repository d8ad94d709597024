"""Draw panels with Matplotlib: lines, numbers, bars and states over time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, Locator, MaxNLocator, MultipleLocator

from exporters.render_dashboards.dashboard_files import DashboardPanel
from exporters.render_dashboards.range_queries import Series
from exporters.render_dashboards.unit_text import BYTES, with_unit

PALETTE: Final = (
    "#37872d", "#e0b400", "#3274d9", "#ff780a", "#e02f44", "#8f3bb8", "#00a3a3", "#7a5c3e",
    "#b877d9", "#96d98d", "#ffa6b0", "#8ab8ff",
)  # fmt: skip
COLOURS: Final = {"green": "#37872d", "yellow": "#e0a400", "red": "#c4162a"}
TEXT: Final = "#24292e"
FAINT: Final = "#8a9099"
_NAME_LINES: Final = 5
_NAME_INCHES: Final = 1.7
_NAME_LINE_INCHES: Final = 0.125
_LEGEND_LEFT_INCHES: Final = 0.55
_LEGEND_BELOW_INCHES: Final = 0.2
_LEGEND_STYLE: Final[dict[str, Any]] = {
    "fontsize": 6.5,
    "frameon": False,
    "handlelength": 1.0,
    "labelcolor": TEXT,
    "borderaxespad": 0.0,
    "columnspacing": 1.2,
    "labelspacing": 0.3,
}
_MOST_BARS: Final = 14
_LEAST_BARS: Final = 6
"""Bars are not thicker than as many of them would be."""
_LONGEST_NAME: Final = 34


def draw(axes: Axes, panel: DashboardPanel, series: Sequence[Series]) -> None:
    """Draw a panel's series on its axes."""
    if not series:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no data", ha="center", va="center", color=FAINT, fontsize=11)
        return
    _DRAWINGS[panel.kind](axes, panel, series)


def _draw_lines(axes: Axes, panel: DashboardPanel, series: Sequence[Series]) -> None:
    drawn = [(one, PALETTE[index % len(PALETTE)]) for index, one in enumerate(series)]
    times = _dates(series[0])
    if panel.is_stacked:
        values = np.nan_to_num([one.values for one in series], posinf=0.0, neginf=0.0)
        axes.stackplot(times, values, colors=[colour for _, colour in drawn], alpha=0.55)
    else:
        for one, colour in drawn:
            axes.plot(times, _finite(one.values), color=colour, linewidth=1.2)
    _from_zero(axes)
    if panel.draws_limits:
        _draw_limits(axes, panel)
    _frame(axes, panel.unit)
    axes.set_xlim(times[0], times[-1])
    _name_series(axes, panel.unit, drawn)


def _draw_limits(axes: Axes, panel: DashboardPanel) -> None:
    """Draw the limits that are inside the chart; others would flatten its lines."""
    low, high = axes.get_ylim()
    for value, colour in panel.steps:
        if low < value < high:
            axes.axhline(value, color=COLOURS[colour], linewidth=0.8, linestyle="--", alpha=0.7)


def _from_zero(axes: Axes) -> None:
    """Begin the axis at 0 unless values are negative; all zeroes are a line at its bottom."""
    low, high = axes.dataLim.intervaly
    if low >= 0:
        axes.set_ylim(0.0, high * 1.05 if high > 0 else 1.0)


def _frame(axes: Axes, unit: str) -> None:
    axes.yaxis.set_major_locator(_locator(axes, unit))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: with_unit(value, unit)))
    _time_axis(axes)
    axes.grid(visible=True, color="#e3e6ea", linewidth=0.6)
    axes.set_axisbelow(b=True)


def _locator(axes: Axes, unit: str) -> Locator:
    """Place ticks at round values; those of bytes are powers of 2."""
    if unit not in BYTES:
        return MaxNLocator(5)
    return MultipleLocator(2.0 ** math.ceil(math.log2(axes.get_ylim()[1] / 4)))


def _time_axis(axes: Axes) -> None:
    locator = AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    axes.tick_params(labelsize=7, colors=FAINT, length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def legend_inches(width: float, names: int) -> float:
    """Return the height of the legend of so many names below a chart of this width, in inches."""
    lines = min(-(-names // _columns(width)), _NAME_LINES)
    return _LEGEND_BELOW_INCHES + lines * _NAME_LINE_INCHES


def _columns(width: float) -> int:
    return max(1, int(width / _NAME_INCHES))


def _name_series(axes: Axes, unit: str, drawn: Sequence[tuple[Series, str]]) -> None:
    """Write the legend below the chart: as many columns as fit, and as many names."""
    place = axes.get_position()
    across, up = axes.figure.get_figure(root=True).get_size_inches()
    width, height = place.width * across, place.height * up
    most = _columns(width) * _NAME_LINES
    shown = drawn if len(drawn) <= most else drawn[: most - 1]
    handles = [
        Line2D([], [], color=colour, linewidth=3, label=_legend(one, unit)) for one, colour in shown
    ]
    if len(shown) < len(drawn):
        more = f"and {len(drawn) - len(shown)} more"
        handles.append(Line2D([], [], color="none", label=more))
    axes.legend(
        handles=handles,
        ncols=min(_columns(width), len(handles)),
        loc="upper left",
        bbox_to_anchor=(-_LEGEND_LEFT_INCHES / width, -_LEGEND_BELOW_INCHES / height),
        **_LEGEND_STYLE,
    )


def _legend(one: Series, unit: str) -> str:
    return f"{_shortened(one.name)}  {with_unit(one.last, unit)}"


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _draw_number(axes: Axes, panel: DashboardPanel, series: Sequence[Series]) -> None:
    one = series[0]
    colour = COLOURS[panel.colour(one.last)]
    axes.plot(_dates(one), _finite(one.values), color=colour, linewidth=1.0, alpha=0.5)
    axes.fill_between(_dates(one), 0, _finite(one.values), color=colour, alpha=0.10, linewidth=0)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, 0.0), max(high, low + 1e-9) * 2.6)
    axes.set_axis_off()
    text = with_unit(one.last, panel.unit)
    style: dict[str, Any] = {"ha": "center", "va": "center", "transform": axes.transAxes}
    axes.text(0.5, 0.62, text, color=colour, fontsize=19, fontweight="bold", **style)


def _draw_bars(axes: Axes, panel: DashboardPanel, series: Sequence[Series]) -> None:
    ranked = sorted(series, key=lambda one: one.last, reverse=True)[:_MOST_BARS]
    places = np.arange(len(ranked))[::-1]
    values = [one.last for one in ranked]
    finite = [value if np.isfinite(value) else 0.0 for value in values]
    colours = [COLOURS[panel.colour(value)] for value in values]
    axes.barh(places, finite, color=colours, alpha=0.75, height=0.6)
    longest = max([*finite, 1e-9])
    for place, value, length in zip(places, values, finite, strict=True):
        text = with_unit(value, panel.unit)
        axes.text(length + longest * 0.02, place, text, va="center", fontsize=7.5, color=TEXT)
    axes.set_xlim(0, longest * 1.28)
    axes.set_ylim(min(len(ranked) - _LEAST_BARS, 0) - 0.7, len(ranked) - 0.3)
    axes.set_yticks(places, [_shortened(one.name) for one in ranked], fontsize=7.5, color=TEXT)
    axes.set_xticks([])
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def _draw_states(axes: Axes, panel: DashboardPanel, series: Sequence[Series]) -> None:
    """Draw each series as a bar over time, in the colours of its values."""
    for place, one in enumerate(reversed(series)):
        times = _dates(one)
        for start, end in _runs(one.values):
            colour = COLOURS[panel.colour(float(one.values[start]))]
            begin, until = times[start], times[min(end, len(times) - 1)]
            axes.barh(place, until - begin, left=begin, height=0.7, color=colour, alpha=0.75)
    _time_axis(axes)
    axes.set_xlim(_dates(series[0])[0], _dates(series[0])[-1])
    axes.set_ylim(min(len(series) - _LEAST_BARS, 0) - 0.7, len(series) - 0.3)
    names = [_shortened(one.name) for one in reversed(series)]
    axes.set_yticks(range(len(series)), names, fontsize=7, color=TEXT)


def _runs(values: Any) -> list[tuple[int, int]]:
    """Return where each stretch of equal values begins and ends; NaN is no value."""
    edges = [0, *(np.flatnonzero(np.diff(values) != 0) + 1).tolist(), len(values)]
    pairs = itertools.pairwise(edges)
    return [(start, end) for start, end in pairs if not np.isnan(values[start])]


def _dates(one: Series) -> Any:
    return date2num([datetime.fromtimestamp(time, UTC) for time in one.times])


def _finite(values: Any) -> Any:
    return np.where(np.isfinite(values), values, np.nan)


_DRAWINGS: Final = {
    "timeseries": _draw_lines,
    "stat": _draw_number,
    "bargauge": _draw_bars,
    "state-timeline": _draw_states,
}
