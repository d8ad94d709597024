"""Parameters of a chart's page, and the query that the API answers for it."""

from __future__ import annotations

from typing import Any, Final

from fraudwatch.reporting.assets import Chart, Column, Kind, Metric

ALL_TIME: Final = "No filter"
# The map's name of country codes of two characters.
_ALPHA_2: Final = "cca2"
_LEGEND_ROWS: Final = 12


def params_of(one: Chart) -> dict[str, Any]:
    """Return the form of the chart's page."""
    day = one.data_set.day
    return {
        "viz_type": one.kind.value,
        # Beside an axis of its own, Superset would draw this column as one more series.
        "granularity_sqla": None if one.axis else day,
        "time_range": ALL_TIME,
        "adhoc_filters": [
            {
                "clause": "WHERE",
                "expressionType": "SIMPLE",
                "subject": day,
                "operator": "TEMPORAL_RANGE",
                "comparator": ALL_TIME,
            }
        ],
        "row_limit": one.limit,
        **_of_kind(one),
    }


def query_context_of(one: Chart) -> dict[str, Any]:
    """Return the query of the chart's data; the import fills in the data set."""
    columns = [*([one.axis] if one.axis else []), *one.by]
    query = {
        "columns": columns,
        "metrics": list(one.metrics),
        "orderby": _order(one),
        "filters": [{"col": one.data_set.day, "op": "TEMPORAL_RANGE", "val": ALL_TIME}],
        "granularity": one.data_set.day,
        "time_range": ALL_TIME,
        "row_limit": one.limit,
        "extras": {},
    }
    return {
        "datasource": {"id": 0, "type": "table"},
        "force": False,
        "queries": [query],
        "form_data": {"viz_type": one.kind.value},
        "result_format": "json",
        "result_type": "full",
    }


def _order(one: Chart) -> list[list[Any]]:
    if one.axis:
        return [[one.axis, True]]
    if one.newest_first:
        return [[one.by[0], False]]
    return [[one.metrics[0], False]] if one.by else []


def _of_kind(one: Chart) -> dict[str, Any]:
    match one.kind:
        case Kind.NUMBER:
            metric = _metric(one, one.metrics[0])
            return {
                "metric": metric.name,
                "subheader": one.about,
                "y_axis_format": metric.format.value,
                "header_font_size": 0.4,
                "subheader_font_size": 0.125,
            }
        case Kind.TABLE:
            return _table(one)
        case Kind.MAP:
            return {
                "entity": one.by[0],
                "country_fieldtype": _ALPHA_2,
                "metric": one.metrics[0],
                "show_bubbles": False,
                "color_by": "metric",
                "linear_color_scheme": "schemeReds",
            }
        case Kind.LINES | Kind.BARS:
            return _series(one)


def _table(one: Chart) -> dict[str, Any]:
    newest = {
        "expressionType": "SQL",
        "sqlExpression": f"MAX({one.by[0]})",
        "label": "newest",
        "hasCustomLabel": True,
    }
    return {
        "timeseries_limit_metric": newest if one.newest_first else one.metrics[0],
        "query_mode": "aggregate",
        "groupby": list(one.by),
        "metrics": list(one.metrics),
        "all_columns": [],
        "percent_metrics": [],
        "order_by_cols": [],
        "order_desc": True,
        "server_pagination": False,
        "page_length": 25,
        "table_timestamp_format": "%Y-%m-%d",
        "show_cell_bars": True,
    }


def _series(one: Chart) -> dict[str, Any]:
    is_time = _column(one, str(one.axis)).is_day
    return {
        "x_axis": one.axis,
        "time_grain_sqla": None,
        "x_axis_sort_asc": True,
        "xAxisForceCategorical": not is_time,
        "x_axis_time_format": "%Y-%m-%d",
        "groupby": list(one.by),
        "metrics": list(one.metrics),
        "stack": "Stack" if one.stacked else None,
        "markerEnabled": one.kind is Kind.LINES,
        "y_axis_format": _metric(one, one.metrics[0]).format.value,
        "truncateYAxis": True,
        "y_axis_bounds": [0, None],
        "show_legend": True,
        "legendType": "scroll",
        "legendOrientation": "top",
        "rich_tooltip": True,
        "limit": _LEGEND_ROWS if one.by else None,
        "timeseries_limit_metric": one.metrics[0],
        "order_desc": True,
    }


def _metric(one: Chart, name: str) -> Metric:
    return next(metric for metric in one.data_set.metrics if metric.name == name)


def _column(one: Chart, name: str) -> Column:
    return next(column for column in one.data_set.columns if column.name == name)
