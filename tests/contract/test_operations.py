"""Contract of exporters and of DAG runs: memory twins, HTTP with a real exporter, Airflow's API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from fraudwatch.adapters.edge.airflow_api import AirflowEndpoint
from fraudwatch.adapters.edge.airflow_runs import AirflowDagRuns
from fraudwatch.adapters.memory.operations import MemoryDagRuns, MemoryExporters
from fraudwatch.adapters.metrics.exporter_reader import HttpExporters
from fraudwatch.application.operations.dag_runs import DagRun, DagRuns, DagRunsUnavailable
from fraudwatch.application.operations.exporters import Exporters, Sample
from tests.ports import free_port

UP, RESTARTS = "fraudwatch_service_up", "fraudwatch_service_restarts_total"
ENDPOINT = AirflowEndpoint("http://127.0.0.1:8080", "operator", "not-shown-0123456789")


@contextmanager
def memory_exporters() -> Iterator[Exporters]:
    samples = (Sample(UP, {"service": "kafka"}, 1), Sample(RESTARTS, {"service": "kafka"}, 3))
    yield MemoryExporters({"usage": samples, "gone": ()}, {"gone"})


@contextmanager
def http_exporters() -> Iterator[Exporters]:
    registry = CollectorRegistry()
    Gauge(UP, "up", ["service"], registry=registry).labels("kafka").set(1)
    Counter(RESTARTS, "restarts", ["service"], registry=registry).labels("kafka").inc(3)
    Gauge("of_no_interest", "not kept", registry=registry).set(1)
    server, thread = start_http_server(0, "127.0.0.1", registry)
    address = f"http://127.0.0.1:{server.server_port}/metrics"
    gone = f"http://127.0.0.1:{free_port()}/metrics"
    try:
        yield HttpExporters({"usage": address, "gone": gone}, {UP, RESTARTS})
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("exporters", [memory_exporters, http_exporters])
def test_each_exporter_is_read_and_one_that_is_down_has_a_reason(
    exporters: Callable[[], Any],
) -> None:
    with exporters() as under_test:
        found = under_test.read()
    usage, gone = found.all
    assert {one.name for one in usage.samples} == {UP, RESTARTS}
    assert found.by_label(UP, "service") == {"kafka": 1}
    assert found.by_label(RESTARTS, "service") == {"kafka": 3}
    assert usage.failure is None
    assert (gone.exporter, gone.samples) == ("gone", ())
    assert gone.failure is not None
    assert found.failed() == [gone]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(503, text="busy"), "answers 503"),
        (httpx.Response(200, text="<html>not metrics</html> {{{"), "answers with no metrics"),
    ],
)
def test_an_answer_without_metrics_is_a_failure(answer: httpx.Response, reason: str) -> None:
    transport = httpx.MockTransport(lambda _: answer)
    exporters = HttpExporters(
        {"ingest": "http://127.0.0.1:8001/metrics"}, {UP}, transport=transport
    )
    [reading] = exporters.read().all
    assert reading.failure is not None
    assert reason in reading.failure
    assert reading.samples == ()


def a_run(dag: str, state: str) -> DagRun:
    return DagRun(
        dag=dag,
        run_id="manual__1",
        state=state,
        started_at="2026-11-30T00:00:00Z",
        seconds=3.5,
        url=f"http://127.0.0.1:8080/dags/{dag}/runs/manual__1",
    )


RUNS = [a_run("archive_topics", "success"), a_run("train_model", "failed")]


def memory_runs(*, is_down: bool) -> DagRuns:
    return MemoryDagRuns(RUNS, ["clean_up"], is_down)


def airflow_runs(*, is_down: bool) -> DagRuns:
    def answer(request: httpx.Request) -> httpx.Response:
        if is_down:
            raise httpx.ConnectError("refused")
        match request.url.path:
            case "/auth/token":
                return httpx.Response(201, json={"access_token": "t"})
            case "/api/v2/dags/~/dagRuns":
                assert request.url.params["order_by"] == "-run_after"
                limit = int(request.url.params["limit"])
                newest = [_run_json(run) for run in RUNS[::-1][:limit]]
                return httpx.Response(200, json={"dag_runs": newest})
        dags = [_dag_json("clean_up", is_paused=True), _dag_json("train_model", is_paused=False)]
        return httpx.Response(200, json={"dags": dags})

    return AirflowDagRuns(ENDPOINT, httpx.MockTransport(answer))


def _run_json(run: DagRun) -> dict[str, Any]:
    return {
        "dag_id": run.dag, "dag_run_id": run.run_id, "state": run.state,
        "start_date": run.started_at, "duration": run.seconds, "conf": None,
    }  # fmt: skip


def _dag_json(name: str, *, is_paused: bool) -> dict[str, Any]:
    return {
        "dag_id": name, "description": "", "timetable_summary": None, "is_paused": is_paused,
    }  # fmt: skip


@pytest.mark.parametrize("runs", [memory_runs, airflow_runs])
def test_the_newest_runs_of_all_dags_and_the_paused_ones(runs: Callable[..., DagRuns]) -> None:
    found = runs(is_down=False).overview(10)
    assert list(found.runs) == RUNS[::-1]
    assert list(found.paused) == ["clean_up"]
    assert [run.dag for run in runs(is_down=False).overview(1).runs] == ["train_model"]


@pytest.mark.parametrize("runs", [memory_runs, airflow_runs])
def test_a_scheduler_that_does_not_answer_is_unavailable(runs: Callable[..., DagRuns]) -> None:
    with pytest.raises(DagRunsUnavailable, match="Airflow"):
        runs(is_down=True).overview(10)
