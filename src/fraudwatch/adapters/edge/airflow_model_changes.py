"""Changes of the champion by the DAG ``change_champion``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import httpx

from fraudwatch.adapters.edge.airflow_answers import Run
from fraudwatch.adapters.edge.airflow_api import (
    AirflowApi,
    AirflowEndpoint,
    AirflowRefused,
    AirflowUnreachable,
)
from fraudwatch.application.promotion.model_changes import (
    ModelAction,
    ModelChangeRefused,
    ModelChangeRun,
)

DAG: Final = "change_champion"
# A page waits for it.
TIMEOUT_SECONDS: Final = 5.0
_FAILED: Final = "failed"


class AirflowModelChanges:
    """``ModelChangeJobs`` over Airflow's REST API."""

    def __init__(
        self, endpoint: AirflowEndpoint, transport: httpx.BaseTransport | None = None
    ) -> None:
        """``transport`` replaces the network in tests."""
        self._endpoint, self._transport = endpoint, transport

    def require_available(self) -> None:
        with self._airflow() as airflow:
            if airflow.dag(DAG).is_paused:
                raise ModelChangeRefused(
                    f"{DAG} is paused in Airflow, so nothing was changed. Run ./fraudwatch dags "
                    f"unpause {DAG}, then try again."
                )

    def start(self, action: ModelAction, version: int) -> str:
        with self._airflow() as airflow:
            conf = {"action": str(action), "version": str(version)}
            return airflow.trigger(DAG, conf).run_id

    def newest(self, limit: int) -> Sequence[ModelChangeRun]:
        with self._airflow() as airflow:
            return [_change(airflow, run) for run in airflow.runs(DAG, limit)]

    @contextmanager
    def _airflow(self) -> Iterator[AirflowApi]:
        try:
            with AirflowApi(self._endpoint, self._transport, TIMEOUT_SECONDS) as airflow:
                yield airflow
        except AirflowUnreachable as error:
            raise ModelChangeRefused(
                f"Models are changed by a job of the lake, and Airflow does not answer ({error}). "
                "Nothing was changed."
            ) from error
        except AirflowRefused as error:
            raise ModelChangeRefused(f"Airflow refuses: {error}. Nothing was changed.") from error


def _change(airflow: AirflowApi, run: Run) -> ModelChangeRun:
    return ModelChangeRun(
        run_id=run.run_id,
        action=str(run.conf.get("action", "")),
        version=str(run.conf.get("version", "")),
        state=run.state,
        started_at=run.started_at,
        failure=_reason(airflow, run.run_id) if run.state == _FAILED else None,
    )


def _reason(airflow: AirflowApi, run_id: str) -> str:
    for task in airflow.tasks(DAG, run_id):
        if task.state == _FAILED:
            return airflow.log(DAG, run_id, task).reason or "it was killed"
    return "the run failed before its task"
