"""Turn data sets, charts and dashboards into the YAML that Superset imports."""

from __future__ import annotations

import json
from typing import Any, Final

import yaml

from fraudwatch.reporting.assets import (
    DATABASE_ID,
    Chart,
    Column,
    Dashboard,
    DataSet,
    Metric,
)
from fraudwatch.reporting.chart_params import params_of, query_context_of

SCHEMA: Final = "fraudwatch"
_VERSION: Final = "1.0.0"
# Pages show that it is not edited there, and the setup may delete it once it has left the files.
_IS_MANAGED: Final = {"is_managed_externally": True}


def text_of(document: dict[str, Any]) -> str:
    """Return the text of a YAML file."""
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def data_set_of(one: DataSet) -> dict[str, Any]:
    """Return a data set's document."""
    return {
        "table_name": one.table,
        "main_dttm_col": one.day,
        "description": one.about,
        "schema": SCHEMA,
        "sql": None,
        "filter_select_enabled": True,
        "always_filter_main_dttm": False,
        "normalize_columns": False,
        "uuid": str(one.uuid),
        "metrics": [_metric(metric) for metric in one.metrics],
        "columns": [_column(column) for column in one.columns],
        **_IS_MANAGED,
        "version": _VERSION,
        "database_uuid": str(DATABASE_ID),
    }


def _metric(one: Metric) -> dict[str, Any]:
    return {
        "metric_name": one.name,
        "verbose_name": one.label,
        "expression": one.expression,
        "d3format": one.format.value,
    }


def _column(one: Column) -> dict[str, Any]:
    return {
        "column_name": one.name,
        "verbose_name": one.label,
        "type": one.type,
        "is_dttm": one.is_day,
        "is_active": True,
        "groupby": True,
        "filterable": True,
        "expression": None,  # an import leaves values of absent fields as they are
    }


def chart_of(one: Chart) -> dict[str, Any]:
    """Return a chart's document; its query is that of the page, for readers by the API."""
    return {
        "slice_name": one.title,
        "description": one.about or None,
        "viz_type": one.kind.value,
        "params": params_of(one),
        "query_context": json.dumps(query_context_of(one)),
        "cache_timeout": None,
        "uuid": str(one.uuid),
        **_IS_MANAGED,
        "version": _VERSION,
        "dataset_uuid": str(one.data_set.uuid),
    }


def dashboard_of(one: Dashboard) -> dict[str, Any]:
    """Return a dashboard's document."""
    return {
        "dashboard_title": one.title,
        "description": one.about,
        "css": "",
        "slug": one.slug,
        "published": True,
        "uuid": str(one.uuid),
        "position": _position(one),
        "metadata": {
            "color_scheme": "supersetColors",
            "cross_filters_enabled": True,
            "refresh_frequency": 0,
            "native_filter_configuration": list(_filters(one)),
        },
        **_IS_MANAGED,
        "version": _VERSION,
    }


def _position(board: Dashboard) -> dict[str, Any]:
    rows = {f"ROW-{number}": row for number, row in enumerate(board.rows, 1)}
    above = ["ROOT_ID", "GRID_ID"]
    position: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {
            "type": "GRID",
            "id": "GRID_ID",
            "children": list(rows),
            "parents": ["ROOT_ID"],
        },
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": board.title}},
    }
    number = 0
    for name, row in rows.items():
        children = []
        for chart in row:
            number += 1
            children.append(f"CHART-{number}")
            position[f"CHART-{number}"] = {
                "type": "CHART",
                "id": f"CHART-{number}",
                "children": [],
                "parents": [*above, name],
                "meta": {
                    # The import replaces the number by the chart's own, found by its uuid.
                    "chartId": number,
                    "width": chart.width,
                    "height": chart.height,
                    "sliceName": chart.title,
                    "uuid": str(chart.uuid),
                },
            }
        position[name] = {
            "type": "ROW",
            "id": name,
            "children": children,
            "parents": above,
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
    return position


def _filters(board: Dashboard) -> list[dict[str, Any]]:
    days = {"name": "Days", "filterType": "filter_time", "targets": [{}]}
    found = [days]
    with_source = [chart.data_set for chart in board.charts if chart.data_set.has_source]
    if with_source:
        target = {"datasetUuid": str(with_source[0].uuid), "column": {"name": "source"}}
        found.append({"name": "Shop", "filterType": "filter_select", "targets": [target]})
    return [
        {
            "id": f"NATIVE_FILTER-{board.slug}-{one['name']}",
            **one,
            "type": "NATIVE_FILTER",
            "description": "",
            "cascadeParentIds": [],
            "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
            "controlValues": {"enableEmptyFilter": False, "multiSelect": True},
            "defaultDataMask": {"extraFormData": {}, "filterState": {}, "ownState": {}},
        }
        for one in found
    ]
