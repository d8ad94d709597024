"""Newest DAG runs from Airflow's REST API."""

from __future__ import annotations

from typing import Final

import httpx

from fraudwatch.adapters.edge.airflow_api import (
    AirflowApi,
    AirflowEndpoint,
    AirflowRefused,
    AirflowUnreachable,
)
from fraudwatch.application.operations.dag_runs import DagOverview, DagRun, DagRunsUnavailable

# Airflow's own wildcard for "of every DAG".
_EVERY_DAG: Final = "~"
# A page waits for it.
TIMEOUT_SECONDS: Final = 5.0


class AirflowDagRuns:
    """``DagRuns`` over Airflow's REST API."""

    def __init__(
        self, endpoint: AirflowEndpoint, transport: httpx.BaseTransport | None = None
    ) -> None:
        """``transport`` replaces the network in tests."""
        self._endpoint, self._transport = endpoint, transport

    def overview(self, limit: int) -> DagOverview:
        try:
            with AirflowApi(self._endpoint, self._transport, TIMEOUT_SECONDS) as airflow:
                runs = [
                    DagRun(
                        dag=run.dag,
                        run_id=run.run_id,
                        state=run.state,
                        started_at=run.started_at,
                        seconds=run.seconds,
                        url=airflow.page_of(run.dag, run.run_id),
                    )
                    for run in airflow.runs(_EVERY_DAG, limit)
                ]
                paused = [dag.name for dag in airflow.dags() if dag.is_paused]
        except (AirflowUnreachable, AirflowRefused) as error:
            raise DagRunsUnavailable(str(error)) from error
        return DagOverview(runs, paused)
