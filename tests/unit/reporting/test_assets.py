"""The YAML of superset/ against its catalogue, and the catalogue against the roles."""

from __future__ import annotations

import json

import pytest
import yaml

from fraudwatch.reporting import write
from fraudwatch.reporting.assets import DATABASE_ID, Chart, DataSet
from fraudwatch.reporting.chart_params import query_context_of
from fraudwatch.reporting.dashboards import DASHBOARDS
from fraudwatch.reporting.data_sets import DATA_SETS
from fraudwatch.reporting.roles import LOGINS, Role

CHARTS = [chart for board in DASHBOARDS for chart in board.charts]


def test_the_committed_files_are_the_written_ones() -> None:
    found = {name: path.read_text(encoding="utf-8") for name, path in write.written().items()}
    assert found == write.files(), "run python -m fraudwatch.reporting.write and commit superset/"


def test_no_asset_has_a_password_and_the_lake_is_no_place_for_sql() -> None:
    text = (write.FOLDER / "databases/lake.yaml").read_text(encoding="utf-8")
    lake = yaml.safe_load(text)
    assert lake["uuid"] == str(DATABASE_ID)
    assert ":" not in lake["sqlalchemy_uri"].removeprefix("hive://")
    assert not any(lake[name] for name in ("expose_in_sqllab", "allow_dml", "allow_csv_upload"))


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.title)
def test_a_chart_has_metrics_and_columns_of_its_data_set(chart: Chart) -> None:
    assert set(chart.metrics) <= {metric.name for metric in chart.data_set.metrics}
    columns = {column.name for column in chart.data_set.columns}
    assert {*chart.by, *([chart.axis] if chart.axis else [])} <= columns
    [query] = query_context_of(chart)["queries"]
    assert json.dumps(query)
    assert query["metrics"] == list(chart.metrics)


def test_titles_and_ids_are_unique() -> None:
    assert len({chart.title for chart in CHARTS}) == len(CHARTS)
    ids = [one.uuid for one in (*CHARTS, *DASHBOARDS, *DATA_SETS)]
    assert len(set(ids)) == len(ids)
    assert all(sum(chart.width for chart in row) <= 12 for b in DASHBOARDS for row in b.rows)


@pytest.mark.parametrize("one", DATA_SETS, ids=lambda one: one.table)
def test_viewers_read_views_of_enough_customers_by_source(one: DataSet) -> None:
    if one.role is Role.VIEWER:
        assert one.table.startswith("report_")
        assert one.has_source
    # The marts themselves have rows of one customer.
    assert not (one.table.startswith("out_") and one.role is Role.VIEWER)


def test_each_role_has_its_dashboards() -> None:
    by_role = {role: {board.slug for board in DASHBOARDS if board.role is role} for role in Role}
    assert by_role == {
        Role.VIEWER: {"fraud-overview", "geography", "merchants-and-categories", "rules"},
        Role.ANALYST: {"model-and-calibration", "pipeline-health", "details"},
        Role.LEAD: {"analysts-workload"},
    }


def test_viewers_alone_may_export_and_no_role_may_write_sql() -> None:
    exporting = {"can_csv", "can_export", "can_export_as_example", "can_export_streaming_csv"}
    by_role = {login.role: login.permissions for login in LOGINS}
    assert {role for role, found in by_role.items() if exporting & {name for name, _ in found}} == {
        Role.VIEWER
    }
    for permissions in by_role.values():
        assert not any("sql" in view.lower() for _, view in permissions)
        assert not any(name.startswith("all_") for name, _ in permissions)
