"""Changes of the champion by the DAG, over Airflow's answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from fraudwatch.adapters.edge.airflow_api import AirflowEndpoint
from fraudwatch.adapters.edge.airflow_model_changes import AirflowModelChanges
from fraudwatch.application.promotion.model_changes import ModelAction, ModelChangeRefused

ENDPOINT = AirflowEndpoint("http://127.0.0.1:8080", "operator", "not-shown-0123456789")
CONF = {"action": "approve", "version": "4"}


@dataclass
class Airflow:
    """Answers of Airflow."""

    state: str = "success"
    is_paused: bool = False
    is_down: bool = False
    triggered: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("refused")
        path = request.url.path
        if path == "/auth/token":
            return httpx.Response(201, json={"access_token": "t"})
        if path.endswith("/dags/change_champion"):
            dag = {"dag_id": "change_champion", "description": "", "timetable_summary": None}
            return httpx.Response(200, json=dag | {"is_paused": self.is_paused})
        if path.endswith("/taskInstances"):
            return httpx.Response(200, json={"task_instances": [_TASK]})
        if "/logs/" in path:
            error = {"exc_type": "JobFailed", "exc_value": "version 4 does not wait for approval"}
            return httpx.Response(200, json={"content": [{"error_detail": [error]}]})
        if request.method == "POST":
            self.triggered.append(json.loads(request.content)["conf"])
            return httpx.Response(200, json=self._run())
        return httpx.Response(200, json={"dag_runs": [self._run()]})

    def _run(self) -> dict[str, Any]:
        return {
            "dag_id": "change_champion", "dag_run_id": "manual__1", "state": self.state,
            "start_date": None, "duration": None, "conf": CONF,
        }  # fmt: skip


_TASK = {
    "task_id": "change_champion", "map_index": -1, "state": "failed", "try_number": 1,
    "duration": 3.0, "start_date": "2026-11-30T00:00:00Z",
}  # fmt: skip


@pytest.fixture
def airflow() -> Airflow:
    return Airflow()


@pytest.fixture
def changes(airflow: Airflow) -> AirflowModelChanges:
    return AirflowModelChanges(ENDPOINT, httpx.MockTransport(airflow.answer))


def test_a_change_is_a_run_with_action_and_version(
    airflow: Airflow, changes: AirflowModelChanges
) -> None:
    changes.require_available()
    assert changes.start(ModelAction.APPROVE, 4) == "manual__1"
    assert airflow.triggered == [CONF]
    [run] = changes.newest(5)
    assert (run.action, run.version, run.state, run.failure) == ("approve", "4", "success", None)


def test_a_failed_run_has_the_reason_of_the_command(
    airflow: Airflow, changes: AirflowModelChanges
) -> None:
    airflow.state = "failed"
    [run] = changes.newest(5)
    assert run.failure == "version 4 does not wait for approval"


def test_a_paused_dag_or_no_airflow_is_refused_before(
    airflow: Airflow, changes: AirflowModelChanges
) -> None:
    airflow.is_paused = True
    with pytest.raises(ModelChangeRefused, match="dags unpause change_champion"):
        changes.require_available()
    airflow.is_down = True
    for attempt in (changes.require_available, lambda: changes.newest(5)):
        with pytest.raises(ModelChangeRefused, match="Airflow does not answer"):
            attempt()
    with pytest.raises(ModelChangeRefused, match="Nothing was changed"):
        changes.start(ModelAction.ROLL_BACK, 1)
    assert airflow.triggered == []
