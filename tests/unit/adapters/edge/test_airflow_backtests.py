from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from fraudwatch.adapters.edge.airflow_api import AirflowEndpoint
from fraudwatch.adapters.edge.airflow_backtests import AirflowBacktests
from fraudwatch.application.policy.drafts import BacktestStatus
from fraudwatch.application.policy.versions import PolicyRefused
from tests.policies import LIVE, OTHER, a_result

ENDPOINT = AirflowEndpoint("http://127.0.0.1:8080", "operator", "not-shown-0123456789")


@dataclass
class Airflow:
    """Answers of Airflow."""

    state: str = "running"
    is_paused: bool = False
    is_down: bool = False
    triggered: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("refused")
        path = request.url.path
        if path == "/auth/token":
            return httpx.Response(201, json={"access_token": "t"})
        if path.endswith("/dags/backtest_policy"):
            return httpx.Response(200, json=self._dag())
        if path.endswith("/taskInstances"):
            return httpx.Response(200, json={"task_instances": [_TASK]})
        if "/logs/" in path:
            error = {"exc_type": "JobFailed", "exc_value": "the driver has no memory"}
            return httpx.Response(200, json={"content": [{"error_detail": [error]}]})
        if request.method == "POST":
            self.triggered.append(json.loads(request.content)["conf"])
        return httpx.Response(200, json=self._run())

    def _dag(self) -> dict[str, Any]:
        return {
            "dag_id": "backtest_policy", "description": "", "timetable_summary": None,
            "is_paused": self.is_paused,
        }  # fmt: skip

    def _run(self) -> dict[str, Any]:
        return {
            "dag_id": "backtest_policy", "dag_run_id": "manual__1", "state": self.state,
            "start_date": None, "duration": None, "conf": {},
        }  # fmt: skip


_TASK = {
    "task_id": "backtest_policy", "map_index": -1, "state": "failed", "try_number": 1,
    "duration": 3.0, "start_date": "2026-11-30T00:00:00Z",
}  # fmt: skip


@pytest.fixture
def airflow() -> Airflow:
    return Airflow()


@pytest.fixture
def backtests(airflow: Airflow, tmp_path: Path) -> AirflowBacktests:
    return AirflowBacktests(ENDPOINT, tmp_path, httpx.MockTransport(airflow.answer))


def test_a_draft_and_its_lists_are_backtested_by_the_dag(
    airflow: Airflow, backtests: AirflowBacktests
) -> None:
    assert backtests.start(OTHER, "2026-11-01", "2026-11-20") == "manual__1"
    [conf] = airflow.triggered
    assert conf == {
        "yaml": OTHER.policy.decode(),
        "lists": OTHER.lists.decode(),
        "from": "2026-11-01",
        "until": "2026-11-20",
    }


def test_a_result_is_that_of_exactly_this_content(
    airflow: Airflow, backtests: AirflowBacktests, tmp_path: Path
) -> None:
    assert backtests.status("manual__1", OTHER) == BacktestStatus()
    airflow.state = "success"
    (tmp_path / "live.json").write_text(json.dumps(a_result(LIVE)), encoding="utf-8")
    missing = backtests.status("manual__1", OTHER)
    assert missing.result is None
    assert "no result of this draft" in (missing.failure or "")
    (tmp_path / "draft.json").write_text(json.dumps(a_result(OTHER)), encoding="utf-8")
    assert backtests.status("manual__1", OTHER).result == a_result(OTHER)


def test_a_failed_run_has_its_reason(airflow: Airflow, backtests: AirflowBacktests) -> None:
    airflow.state = "failed"
    failure = backtests.status("manual__1", OTHER).failure
    assert failure == "backtest_policy failed: the driver has no memory"


def test_without_the_lake_it_says_how_to_start_it(
    airflow: Airflow, backtests: AirflowBacktests
) -> None:
    airflow.is_down = True
    with pytest.raises(PolicyRefused, match=r"Start the lake: \./fraudwatch up --profile lake"):
        backtests.start(OTHER, "2026-11-01", "2026-11-20")
    airflow.is_down, airflow.is_paused = False, True
    with pytest.raises(PolicyRefused, match="is paused in Airflow"):
        backtests.start(OTHER, "2026-11-01", "2026-11-20")
    assert airflow.triggered == []
