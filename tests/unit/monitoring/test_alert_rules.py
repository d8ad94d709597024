"""Alert rules: promtool's tests pass, and every alert has tests, a runbook and a severity."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from fraudwatch.stack.home import ROOT
from tests.promql_names import RULES, all_rules, metric_names, scraped_names

TESTS = ROOT / "monitoring/prometheus/tests"
ALERTS = {rule["alert"]: rule for rule in all_rules() if "alert" in rule}
EXPRESSION = re.compile(r'ALERTS\{alertname="(\w+)", alertstate="firing"\}')
LABEL = re.compile(r'(\w+)="([^"]*)"')
# Their expression is 0 or 1, which says nothing that the summary does not.
WITHOUT_VALUE = {"KafkaDown", "CassandraDown"}


def expectations() -> dict[str, list[list[dict[str, str]]]]:
    """Return by alert what each promtool check expects: the labels of the firing alerts."""
    found = defaultdict[str, list[list[dict[str, str]]]](list)
    for path in TESTS.glob("*.yml"):
        for case in yaml.safe_load(path.read_text("utf-8"))["tests"]:
            for check in case["promql_expr_test"]:
                name = EXPRESSION.fullmatch(check["expr"])
                assert name, check
                labels = [dict(LABEL.findall(one["labels"])) for one in check["exp_samples"]]
                found[name[1]].append(labels)
    return found


EXPECTED = expectations()


def snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def promtool(*words: str) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed; apt-get install prometheus")
    done = subprocess.run(["promtool", *words], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", sorted(TESTS.glob("*.yml")), ids=lambda path: path.stem)
def test_every_alert_fires_on_a_fault_and_not_on_healthy_series(path: Path) -> None:
    promtool("test", "rules", str(path))


def test_promtool_accepts_all_rules() -> None:
    promtool("check", "rules", *map(str, sorted(RULES.glob("*.yml"))))


def test_every_file_of_rules_has_a_file_of_tests() -> None:
    assert {path.name for path in TESTS.glob("*.yml")} == {
        path.name for path in RULES.glob("*.yml")
    }
    assert len(ALERTS) > 35


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_is_tested_both_ways(name: str) -> None:
    assert any(EXPECTED[name]), f"no test in {TESTS} expects {name} to fire"
    assert not all(EXPECTED[name]), f"no test in {TESTS} expects {name} not to fire"


@pytest.mark.parametrize(("name", "rule"), ALERTS.items())
def test_every_alert_says_how_bad_it_is_and_what_to_do(name: str, rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    notes = rule["annotations"]
    assert notes.keys() == {"summary", "description", "runbook"}
    assert notes["runbook"] == f"docs/runbooks/{snake_case(name)}.md"
    assert (
        "$value" in notes["description"]
        or "$labels." in notes["description"]
        or (name in WITHOUT_VALUE)
    )
    runbook = (ROOT / notes["runbook"]).read_text("utf-8")
    assert name in runbook.splitlines()[0]
    for heading in ("## What you see", "## Impact", "## First steps", "## It ends"):
        assert heading in runbook, heading


@pytest.mark.parametrize(("name", "rule"), ALERTS.items())
def test_texts_use_only_labels_that_the_alert_has(name: str, rule: dict[str, Any]) -> None:
    used = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
    for labels in (one for check in EXPECTED[name] for one in check):
        assert used <= labels.keys()


def test_inhibitions_and_routes_name_alerts_that_exist() -> None:
    text = (ROOT / "monitoring/alertmanager/alertmanager.yml").read_text("utf-8")
    patterns = re.findall(r'alertname =~? "?([\w.+|]+)', text)
    assert len(patterns) > 8
    for pattern in (part for found in patterns for part in found.split("|")):
        assert any(re.fullmatch(pattern, name) for name in ALERTS), pattern


def test_names_are_found_in_ranges_functions_and_subqueries() -> None:
    text = "rate(a_total[5m] offset 1h) / on(x) (b or vector(0)) and avg_over_time(c[5m:1m]) > 1"
    assert metric_names(text) == {"a_total", "b", "c"}
    with pytest.raises(ValueError, match="without a metric name"):
        metric_names('{job="x"}')


def test_recorded_series_are_read_by_an_alert_and_recorded_once() -> None:
    recorded = [(r["record"], str(r.get("labels"))) for r in all_rules() if "record" in r]
    assert len(recorded) == len(set(recorded))
    read = {name for rule in all_rules() for name in metric_names(rule["expr"])}
    assert {name for name, _ in recorded} <= read
    assert not {name for name in scraped_names() if ":" in name}
