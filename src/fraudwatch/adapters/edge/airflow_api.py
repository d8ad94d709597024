"""Client of Airflow's REST API: list, trigger and pause DAGs, read runs and logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from fraudwatch.adapters.edge.airflow_answers import (
    Dag,
    Run,
    Task,
    TaskLog,
    dag_of,
    detail_of,
    log_of,
    run_of,
    task_of,
)

TIMEOUT_SECONDS = 30.0
# Airflow's own page limit.
MAX_DAGS = 100
MAX_TASKS = 100


class AirflowUnreachable(Exception):
    """Airflow does not answer or refuses the login; the message says what to do."""


class AirflowRefused(Exception):
    """Airflow refuses the request for good; the message says why."""


@dataclass(frozen=True, slots=True)
class AirflowEndpoint:
    """Address of Airflow and login of the client."""

    url: str
    login: str
    password: str = field(repr=False)


class AirflowApi:
    """Logged-in client over one persistent connection."""

    def __init__(
        self,
        endpoint: AirflowEndpoint,
        transport: httpx.BaseTransport | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        """``transport`` replaces the network in tests."""
        self._endpoint = endpoint
        self._client = httpx.Client(
            base_url=endpoint.url,
            timeout=timeout_seconds,
            transport=transport,
            trust_env=False,  # a proxy has no business between a machine and itself
        )

    def __enter__(self) -> Self:
        credentials = {"username": self._endpoint.login, "password": self._endpoint.password}
        answer = self._send("POST", "/auth/token", json=credentials)
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            raise AirflowUnreachable(
                f"Airflow refuses the login {self._endpoint.login}, so no request was sent; "
                f"AIRFLOW_{self._endpoint.login.upper()}_PASSWORD in .env must be the one it was "
                "started with: ./fraudwatch down, then ./fraudwatch up, set it for the login again"
            )
        self._client.headers["Authorization"] = f"Bearer {self._body_of(answer)['access_token']}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def dags(self) -> list[Dag]:
        """List all DAGs, sorted by name."""
        answer = self._get("/api/v2/dags", limit=MAX_DAGS, order_by="dag_id")
        return [dag_of(raw) for raw in self._body_of(answer)["dags"]]

    def dag(self, name: str) -> Dag:
        """Return one DAG.

        Raises:
            AirflowRefused: there is no such DAG; the message lists the existing ones.
        """
        answer = self._get(f"/api/v2/dags/{quote(name, safe='')}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            known = ", ".join(dag.name for dag in self.dags())
            raise AirflowRefused(
                f"there is no DAG {name!r}; there are {known}"
                if known
                else f"there is no DAG {name!r}, nor any other yet; Airflow reads dags/ every 30 s"
            )
        return dag_of(self._body_of(answer))

    def trigger(self, name: str, conf: Mapping[str, Any]) -> Run:
        """Trigger a run by hand.

        Raises:
            AirflowRefused: the DAG's parameters do not accept this ``conf``.
        """
        # A manual run has no logical date; Airflow requires the field.
        body = {"logical_date": None, "conf": dict(conf)}
        answer = self._send("POST", f"/api/v2/dags/{quote(name, safe='')}/dagRuns", json=body)
        if answer.status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
            raise AirflowRefused(f"{name} does not accept this conf: {_first_line(answer)}")
        return run_of(self._body_of(answer))

    def pause(self, name: str, *, is_paused: bool) -> Dag:
        """Pause or unpause a DAG."""
        path = f"/api/v2/dags/{quote(name, safe='')}"
        return dag_of(self._body_of(self._send("PATCH", path, json={"is_paused": is_paused})))

    def run(self, name: str, run_id: str) -> Run:
        """Return the current state of one run."""
        return run_of(self._body_of(self._get(_path(name, run_id))))

    def runs(self, name: str, limit: int) -> list[Run]:
        """List the newest runs of a DAG, or of all with ``~``, newest first."""
        found = self._get(
            f"/api/v2/dags/{quote(name, safe='')}/dagRuns", limit=limit, order_by="-run_after"
        )
        return [run_of(raw) for raw in self._body_of(found)["dag_runs"]]

    def tasks(self, name: str, run_id: str) -> list[Task]:
        """List the tasks of a run by start time, waiting ones last."""
        answer = self._get(f"{_path(name, run_id)}/taskInstances", limit=MAX_TASKS)
        raws = self._body_of(answer)["task_instances"]
        raws.sort(key=lambda raw: (raw["start_date"] is None, raw["start_date"] or ""))
        return [task_of(raw) for raw in raws]

    def log(self, name: str, run_id: str, task: Task) -> TaskLog:
        """Return the log of a task's last try, with the reason of its failure."""
        path = f"{_path(name, run_id)}/taskInstances/{quote(task.name, safe='')}/logs/{task.tries}"
        answer = self._get(path, full_content=True, map_index=task.part)
        return log_of(self._body_of(answer)["content"])

    def page_of(self, name: str, run_id: str) -> str:
        """Return the address of a run's page."""
        run = quote(run_id, safe="")
        return f"{self._endpoint.url}/dags/{quote(name, safe='')}/runs/{run}"

    def _get(self, path: str, **query: Any) -> httpx.Response:
        return self._send("GET", path, params=query)

    def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, path, **content)
        except httpx.TransportError as error:
            raise AirflowUnreachable(
                f"no answer from Airflow at {self._endpoint.url} ({error}); see whether "
                "airflow_api runs with ./fraudwatch status, else start it by ./fraudwatch up "
                "--profile lake"
            ) from error
        if answer.is_server_error:
            raise AirflowUnreachable(
                f"Airflow answered {answer.status_code}; see ./fraudwatch logs airflow_api"
            )
        return answer

    def _body_of(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.status_code == HTTPStatus.FORBIDDEN:
            raise AirflowRefused(
                f"{self._endpoint.login} may not do this in Airflow (403): {detail_of(answer)}"
            )
        if not answer.is_success:
            raise AirflowRefused(f"Airflow answered {answer.status_code}: {detail_of(answer)}")
        body: dict[str, Any] = answer.json()
        return body


def _first_line(answer: httpx.Response) -> str:
    # The rest is the schema of the validation.
    return detail_of(answer).partition("\n")[0]


def _path(name: str, run_id: str) -> str:
    return f"/api/v2/dags/{quote(name, safe='')}/dagRuns/{quote(run_id, safe='')}"
