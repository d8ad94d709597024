"""Committed dashboards equal the generated ones, and their queries name known metrics."""

from __future__ import annotations

import json

import promql_parser
import pytest
import yaml

from fraudwatch.observability.dashboards.catalogue import DASHBOARDS
from fraudwatch.observability.dashboards.grafana_json import DATA_SOURCE_UID, HEIGHTS, runbook
from fraudwatch.observability.dashboards.panels import WIDTH, Dashboard, Panel
from fraudwatch.observability.dashboards.promql import RATE_INTERVAL
from fraudwatch.observability.dashboards.write import FOLDER, files
from fraudwatch.observability.metrics import METRICS
from fraudwatch.stack.home import ROOT

PANELS = [
    pytest.param(panel, id=f"{board.title}: {panel.title}")
    for board in DASHBOARDS
    for panel in board.panels
]
ALERTS = sorted({alert for board in DASHBOARDS for panel in board.panels for alert in panel.alerts})
BOARDS = [pytest.param(board, id=board.title) for board in DASHBOARDS]
PROVISIONING = ROOT / "monitoring/grafana/provisioning"
SERIES_OF_HISTOGRAMS = ("_bucket", "_sum", "_count")


def selected(expression: str) -> set[str]:
    """Return the names of the metrics that an expression selects, wherever they are in it."""
    names: set[str] = set()

    def visit(node: promql_parser.Expr) -> bool:
        if isinstance(node, promql_parser.MatrixSelector):
            node = node.vector_selector
        if isinstance(node, promql_parser.VectorSelector):
            assert node.name, f"{expression} selects by labels alone"
            names.add(node.name)
        return True

    parsed = promql_parser.parse(expression.replace(RATE_INTERVAL, "1m"))
    assert promql_parser.walk(parsed, visit)
    return names


def test_selected_finds_every_metric() -> None:
    found = selected(
        'sum by (a) (rate(b_total{c="d"}[1m])) / max(e > 0) unless topk(3, f offset 1d)'
    )
    assert found == {"b_total", "e", "f"}


@pytest.mark.parametrize("board", BOARDS)
def test_the_committed_json_is_the_generated_one(board: Dashboard) -> None:
    generated = {json.loads(text)["uid"]: (name, text) for name, text in files().items()}
    name, text = generated[board.uid]
    advice = "run python -m fraudwatch.observability.dashboards.write in the dev environment"
    assert (FOLDER / name).read_text("utf-8") == text, advice


def test_no_other_dashboard_is_committed() -> None:
    assert {path.name for path in FOLDER.iterdir()} == files().keys()
    assert len({board.uid for board in DASHBOARDS}) == len({b.title for b in DASHBOARDS}) == 7


@pytest.mark.parametrize("panel", PANELS)
def test_queries_parse_and_select_known_metrics(panel: Panel) -> None:
    for query in panel.queries:
        unknown = {
            name
            for name in selected(query.expression)
            if name not in METRICS
            and not any(name.removesuffix(end) in METRICS for end in SERIES_OF_HISTOGRAMS)
        }
        assert not unknown, f"{query.expression}: no declaration of {unknown}"


@pytest.mark.parametrize("panel", PANELS)
def test_legends_have_labels_that_the_query_keeps(panel: Panel) -> None:
    legends = [query.legend for query in panel.queries]
    assert len(set(legends)) == len(legends)
    for query in panel.queries:
        for part in query.legend.split("{{")[1:]:
            label = part.split("}}")[0]
            assert any(
                label in clause.split(")")[0] for clause in query.expression.split("by (")[1:]
            ), f"{query.expression} drops {label}"


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_is_normal(panel: Panel) -> None:
    assert panel.normal.endswith(".")
    assert panel.title == panel.title.strip()


@pytest.mark.parametrize("board", BOARDS)
def test_panels_fill_the_grid_without_a_gap(board: Dashboard) -> None:
    for row in board.rows:
        line: list[Panel] = []
        for panel in row.panels:
            line.append(panel)
            width = sum(member.width for member in line)
            assert width <= WIDTH, f"{row.title}: {panel.title} does not fit"
            if width == WIDTH:
                assert len({HEIGHTS[member.kind] for member in line}) == 1, panel.title
                line = []
        assert not line, f"{row.title}: the last line is not full"


@pytest.mark.parametrize("board", BOARDS)
def test_titles_are_unique_in_a_row(board: Dashboard) -> None:
    for row in board.rows:
        titles = [panel.title for panel in row.panels]
        assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("alert", ALERTS)
def test_the_runbook_of_a_panels_alert_exists(alert: str) -> None:
    assert (ROOT / runbook(alert)).is_file()


def test_runbooks_are_named_in_snake_case() -> None:
    assert runbook("ConsumerLagHigh") == "docs/runbooks/consumer_lag_high.md"


def test_the_provisioned_data_source_is_that_of_the_panels() -> None:
    [file] = (PROVISIONING / "datasources").iterdir()
    [source] = yaml.safe_load(file.read_text("utf-8"))["datasources"]
    assert (source["uid"], source["editable"]) == (DATA_SOURCE_UID, False)
    assert source["url"] == "$GRAFANA_PROMETHEUS_URL"
    prometheus = yaml.safe_load((ROOT / "monitoring/prometheus/prometheus.yml").read_text("utf-8"))
    assert source["jsonData"]["timeInterval"] == prometheus["global"]["scrape_interval"]


def test_provisioned_dashboards_are_read_only() -> None:
    [file] = (PROVISIONING / "dashboards").iterdir()
    [provider] = yaml.safe_load(file.read_text("utf-8"))["providers"]
    assert (provider["allowUiUpdates"], provider["disableDeletion"]) == (False, True)
    for path in FOLDER.iterdir():
        assert json.loads(path.read_text("utf-8"))["editable"] is False
