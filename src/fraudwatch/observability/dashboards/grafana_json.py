"""Turn dashboards into Grafana's JSON with the Grafana Foundation SDK, a development dependency."""

from __future__ import annotations

import json
import re
from typing import Final

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    prometheus,
    stat,
    statetimeline,
    timeseries,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models

from fraudwatch.observability.dashboards.panels import Dashboard, Kind, Limits, Panel

DATA_SOURCE_UID: Final = "fraudwatch-prometheus"
"""As in monitoring/grafana/provisioning/datasources."""
TAG: Final = "fraudwatch"
HEIGHTS: Final = {Kind.NUMBER: 4, Kind.LINES: 8, Kind.BARS: 8, Kind.STATES: 8}
_CAPITAL: Final = re.compile(r"(?<!^)(?=[A-Z])")
_GREEN, _YELLOW, _RED = "green", "yellow", "red"


AnyPanel = timeseries.Panel | stat.Panel | bargauge.Panel | statetimeline.Panel


def runbook(alert: str) -> str:
    """Return the path of an alert's runbook in this repository."""
    return f"docs/runbooks/{_CAPITAL.sub('_', alert).lower()}.md"


def to_json(board: Dashboard) -> str:
    """Return a dashboard as the text of its JSON file."""
    built = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.about)
        .tags([TAG])
        .readonly()
        .timezone("browser")
        .time("now-1h", "now")
        .refresh("10s")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .link(_links())
    )
    number = 1
    for row in board.rows:
        built.with_row(dashboard.Row(row.title).id(number))
        number += 1
        for panel in row.panels:
            built.with_panel(_panel(panel, number))
            number += 1
    return json.dumps(built.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _links() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("Dashboards")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(as_dropdown=True)
        .keep_time(keep_time=True)
    )


def _panel(panel: Panel, number: int) -> AnyPanel:
    made = _of_kind(panel)
    source = models.DataSourceRef("prometheus", DATA_SOURCE_UID)
    made.id(number).description(_description(panel)).unit(panel.unit)
    made.span(panel.width).height(HEIGHTS[panel.kind]).datasource(source)
    made.thresholds(dashboard.ThresholdsConfig().steps(_steps(panel.limits)))
    for index, query in enumerate(panel.queries):
        made.with_target(
            prometheus.Dataquery()
            .ref_id(chr(ord("A") + index))
            .datasource(source)
            .expr(query.expression)
            .legend_format(query.legend)
            .range()
        )
    return made


def _description(panel: Panel) -> str:
    parts = [panel.normal]
    if panel.appears_after:
        parts.append(f"No data before {panel.appears_after}.")
    parts += [f"Alert {alert}, runbook: {runbook(alert)}" for alert in panel.alerts]
    return "\n\n".join(parts)


def _steps(limits: Limits | None) -> list[models.Threshold]:
    """Return colours by value, each step from its value on."""
    if limits is None:
        return [models.Threshold(color=_GREEN)]
    if limits.low_is_bad:
        colours = {limits.critical: _YELLOW, limits.warning: _GREEN}
        below = _RED
    else:
        colours = {limits.warning: _YELLOW, limits.critical: _RED}
        below = _GREEN
    steps = [models.Threshold(value=value, color=colour) for value, colour in colours.items()]
    return [models.Threshold(color=below), *steps]


def _of_kind(panel: Panel) -> AnyPanel:
    match panel.kind:
        case Kind.LINES:
            return _lines(panel)
        case Kind.NUMBER:
            return (
                stat.Panel()
                .title(panel.title)
                .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
                .color_mode(common_models.BigValueColorMode.VALUE)
                .graph_mode(common_models.BigValueGraphMode.AREA)
            )
        case Kind.BARS:
            return (
                bargauge.Panel()
                .title(panel.title)
                .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
                .orientation(common_models.VizOrientation.HORIZONTAL)
                .min(0)
            )
        case Kind.STATES:
            return (
                statetimeline.Panel()
                .title(panel.title)
                .color_scheme(_by_thresholds())
                .show_value(common_models.VisibilityMode.NEVER)
                .fill_opacity(80)
            )


def _by_thresholds() -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(models.FieldColorModeId.THRESHOLDS)


def _lines(panel: Panel) -> timeseries.Panel:
    stacking = (
        common_models.StackingMode.NORMAL if panel.stacked else common_models.StackingMode.NONE
    )
    style = (
        common_models.GraphThresholdsStyleMode.DASHED
        if panel.limits
        else common_models.GraphThresholdsStyleMode.OFF
    )
    return (
        timeseries.Panel()
        .title(panel.title)
        .fill_opacity(30 if panel.stacked else 5)
        .line_width(1)
        .show_points(common_models.VisibilityMode.NEVER)
        .axis_soft_min(0)
        .stacking(common.StackingConfig().mode(stacking))
        .thresholds_style(common.GraphThresholdsStyleConfig().mode(style))
        .legend(
            common.VizLegendOptions()
            .display_mode(common_models.LegendDisplayMode.LIST)
            .placement(common_models.LegendPlacement.BOTTOM)
            .show_legend(show_legend=True)
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(common_models.TooltipDisplayMode.MULTI)
            .sort(common_models.SortOrder.DESCENDING)
        )
    )
