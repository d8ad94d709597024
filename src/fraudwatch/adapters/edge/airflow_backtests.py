"""Backtests of drafts by the DAG ``backtest_policy``, their results from its folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from fraudwatch.adapters.edge.airflow_api import (
    AirflowApi,
    AirflowEndpoint,
    AirflowRefused,
    AirflowUnreachable,
)
from fraudwatch.application.policy.drafts import BacktestStatus
from fraudwatch.application.policy.versions import PolicyContents, PolicyRefused

DAG: Final = "backtest_policy"
_SUCCESS: Final = "success"


class AirflowBacktests:
    """``Backtests`` over Airflow's REST API."""

    def __init__(
        self,
        endpoint: AirflowEndpoint,
        folder: Path,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """``transport`` replaces the network in tests."""
        self._endpoint, self._folder, self._transport = endpoint, folder, transport

    def start(self, contents: PolicyContents, first: str, last: str) -> str:
        conf = {
            "yaml": contents.policy.decode(),
            "lists": contents.lists.decode(),
            "from": first,
            "until": last,
        }
        with self._airflow() as airflow:
            if airflow.dag(DAG).is_paused:
                raise PolicyRefused(
                    f"{DAG} is paused in Airflow, so no backtest was started; run ./fraudwatch "
                    f"dags unpause {DAG}, then try again."
                )
            return airflow.trigger(DAG, conf).run_id

    def status(self, run_id: str, contents: PolicyContents) -> BacktestStatus:
        with self._airflow() as airflow:
            run = airflow.run(DAG, run_id)
            if not run.has_ended:
                return BacktestStatus()
            if run.state != _SUCCESS:
                return BacktestStatus(failure=_reason(airflow, run_id))
        found = self._result(contents)
        if found is None:
            return BacktestStatus(
                failure=f"The run ended, but {self._folder} has no result of this draft; see the "
                f"run {run_id} of {DAG} in Airflow."
            )
        return BacktestStatus(result=found)

    def _result(self, contents: PolicyContents) -> dict[str, Any] | None:
        newest_first = sorted(
            self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True
        )
        for path in newest_first:
            document: dict[str, Any] = json.loads(path.read_bytes())
            if document["policy"].get("contents_sha256") == contents.sha256:
                return document
        return None

    @contextmanager
    def _airflow(self) -> Iterator[AirflowApi]:
        try:
            with AirflowApi(self._endpoint, self._transport) as airflow:
                yield airflow
        except AirflowUnreachable as error:
            raise PolicyRefused(
                f"Backtests run on the lake, and Airflow does not answer ({error}). Start the "
                "lake: ./fraudwatch up --profile lake."
            ) from error
        except AirflowRefused as error:
            raise PolicyRefused(f"Airflow refuses the backtest: {error}") from error


def _reason(airflow: AirflowApi, run_id: str) -> str:
    for task in airflow.tasks(DAG, run_id):
        if task.state == "failed":
            reason = airflow.log(DAG, run_id, task).reason
            return f"{task.name} failed: {reason or 'it was killed'}"
    return "the run failed before its first task"
