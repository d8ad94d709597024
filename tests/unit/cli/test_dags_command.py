from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner

from fraudwatch.adapters.edge.airflow_answers import Task, log_of
from fraudwatch.adapters.edge.airflow_api import (
    AirflowApi,
    AirflowEndpoint,
    AirflowRefused,
    AirflowUnreachable,
)
from fraudwatch.cli import dag_runs, dags
from fraudwatch.stack.home import StackError

ENDPOINT = AirflowEndpoint("http://127.0.0.1:8080", "operator", "not-shown-0123456789")
Answer = Callable[[httpx.Request], httpx.Response]

DAG = {
    "dag_id": "tiny",
    "dag_display_name": "tiny",
    "is_paused": False,
    "description": "Counts to n.",
    "timetable_summary": None,
    "tags": [{"name": "try", "dag_id": "tiny"}],
}
RUN = {
    "dag_run_id": "manual__2026-11-21T19:20:00.000000+00:00",
    "dag_id": "tiny",
    "logical_date": None,
    "start_date": None,
    "end_date": None,
    "duration": None,
    "state": "queued",
    "conf": {"n": 4},
}
TASK = {
    "task_id": "second",
    "map_index": -1,
    "start_date": "2026-11-21T19:20:03Z",
    "duration": 0.7,
    "state": "failed",
    "try_number": 2,
}
LOG: list[dict[str, Any]] = [
    {"event": "::group::Log message source details", "sources": ["/logs/attempt=2.log"]},
    {"event": "line 0", "timestamp": "2026-11-21T19:20:03Z", "level": "info"},
    {
        "event": "Task failed with exception",
        "level": "error",
        "error_detail": [{"exc_type": "ValueError", "exc_value": "no luck today", "frames": []}],
    },
]


class FakeServer:
    """Answers as Airflow 3.3.2 does."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.states = ["queued", "running", "failed"]
        self.dag = DAG
        self.trigger = httpx.Response(200, json=RUN)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = request.url.path
        if path == "/auth/token":
            return httpx.Response(201, json={"access_token": "t0ken"})
        assert request.headers["Authorization"] == "Bearer t0ken"
        if path.endswith("/dagRuns") and request.method == "POST":
            return self.trigger
        return self._read(path.removeprefix("/api/v2/dags"))

    def _read(self, path: str) -> httpx.Response:
        waits = {**TASK, "task_id": "third", "start_date": None, "state": None}
        pages: list[tuple[str, Callable[[], dict[str, Any]]]] = [
            (r"", lambda: {"dags": [self.dag], "total_entries": 1}),
            (r"/tiny", lambda: self.dag),
            (r"/tiny/dagRuns", lambda: {"dag_runs": [RUN], "total_entries": 1}),
            (r"/tiny/dagRuns/[^/]+", lambda: {**RUN, "state": self.states.pop(0), "duration": 4.2}),
            (r".*/taskInstances", lambda: {"task_instances": [waits, TASK], "total_entries": 2}),
            (r".*/logs/2", lambda: {"content": LOG, "continuation_token": None}),
        ]
        for pattern, page in pages:
            if re.fullmatch(pattern, path):
                return httpx.Response(200, json=page())
        return httpx.Response(404, json={"detail": "The Dag with ID: `unknown` was not found"})


def _airflow(answer: Answer) -> AirflowApi:
    return AirflowApi(ENDPOINT, httpx.MockTransport(answer))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeServer:
    """The command line with this server instead of the network."""
    found = FakeServer()
    monkeypatch.setenv("FRAUDWATCH_HOME", str(tmp_path))
    (tmp_path / ".env").write_text("AIRFLOW_OPERATOR_PASSWORD=not-shown-0123456789\n")
    made = AirflowApi.__init__
    monkeypatch.setattr(
        AirflowApi,
        "__init__",
        lambda self, endpoint, other=None: made(
            self, endpoint, other or httpx.MockTransport(found)
        ),
    )
    monkeypatch.setattr(dag_runs, "POLL_SECONDS", 0.0)
    return found


def _run(*arguments: str) -> tuple[int, str, str]:
    app = typer.Typer()
    app.add_typer(dags.app, name="dags")
    shown = CliRunner().invoke(app, ["dags", *arguments])
    return shown.exit_code, shown.stdout, shown.stderr


def test_a_manual_run_is_triggered_without_a_logical_date(server: FakeServer) -> None:
    code, out, _ = _run("trigger", "tiny", "--conf", '{"n": 4}', "--json")
    [sent] = [request for request in server.requests if request.url.path.endswith("/dagRuns")]
    assert json.loads(sent.content) == {"logical_date": None, "conf": {"n": 4}}
    report = json.loads(out)
    assert code == 0
    assert report["state"] == "queued"
    assert report["page"].startswith("http://127.0.0.1:8080/dags/tiny/runs/manual__")


def test_a_failed_run_names_its_task_with_the_end_of_its_log(
    server: FakeServer,
) -> None:
    code, out, _ = _run("trigger", "tiny", "--wait", "--json")
    report = json.loads(out)
    assert code == 1
    assert server.states == []
    assert report["state"] == "failed"
    [failure] = report["failures"]
    assert failure["task"] == "second"
    assert failure["log_end"][-1] == "ValueError: no luck today"
    assert failure["log_end"][0] == "line 0"
    assert failure["reason"] == "ValueError: no luck today"
    # Tasks that have not started come last, whatever the order of the answer.
    assert [task["name"] for task in report["tasks"]] == ["second", "third"]


def test_progress_is_printed_once_per_change(server: FakeServer) -> None:
    printed = list[str]()
    with _airflow(server) as airflow:
        run = airflow.trigger("tiny", {})
        dag_runs.Watch(airflow, run, "page", printed.append).until_ended(lambda _: None)
    assert printed == [
        "  second: failed after 0.7 s",
        "tiny failed after 4.2 s",
        "second failed in try 2: ValueError: no luck today",
        "  what to do: docs/dags.md#tiny, section If it fails",
        "  log: page/tasks/second?try_number=2",
        "  the end of the log:",  # without Airflow's group marker
        "  | line 0",
        "  | Task failed with exception",
        "  | ValueError: no luck today",
    ]


def failed(kind: str, value: str, *causes: tuple[str, str]) -> dict[str, Any]:
    errors = [(kind, value), *causes]
    return {
        "event": "Task failed with exception",
        "error_detail": [{"exc_type": one, "exc_value": text} for one, text in errors],
    }


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([failed("JobFailed", "HDFS is full; free some")], "HDFS is full; free some"),
        ([failed("AirflowFailException", "no such day")], "no such day"),
        ([failed("ValueError", "outer", ("KeyError", "inner"))], "ValueError: outer"),
        ([failed("OSError", "a warning's"), failed("JobFailed", "last"), "bare"], "last"),
        ([{"event": "killed"}, "a bare line"], None),
    ],
)
def test_the_reason_of_a_try_is_the_last_error_of_its_log(
    content: list[Any], reason: str | None
) -> None:
    assert log_of(content).reason == reason


def test_a_task_that_was_killed_is_reported_as_killed(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "LOG", [{"event": "line 0"}])
    [failure] = json.loads(_run("trigger", "tiny", "--wait", "--json")[1])["failures"]
    assert server.states == []
    assert "killed or lost before it could record a reason" in failure["reason"]


def test_a_mapped_task_has_its_own_page() -> None:
    part = Task(name="one_day.extract_day", part=2, state="failed", tries=3, seconds=None)
    assert dag_runs.log_page("run", part) == "run/tasks/one_day.extract_day/mapped/2?try_number=3"


def test_the_watch_continues_after_a_short_outage(server: FakeServer) -> None:
    silent = [True, True]

    def now_and_then(request: httpx.Request) -> httpx.Response:
        if "/dagRuns/" in request.url.path and silent and silent.pop():
            raise httpx.ConnectError("refused", request=request)
        return server(request)

    with _airflow(now_and_then) as airflow:
        run = airflow.trigger("tiny", {})
        report = dag_runs.Watch(airflow, run, "page", lambda _: None).until_ended(lambda _: None)
    assert report["state"] == "failed"
    assert silent == []


def test_a_wrong_name_is_answered_with_the_existing_names(server: FakeServer) -> None:
    code, out, err = _run("trigger", "unknown")
    assert (code, out) == (2, "")
    assert "there are tiny" in err.replace("\n", " ")
    assert not any(
        request.method == "POST" and "dagRuns" in str(request.url) for request in server.requests
    )


@pytest.mark.parametrize("status", [400, 422])
def test_a_refused_conf_has_airflows_message(server: FakeServer, status: int) -> None:
    server.trigger = httpx.Response(
        status, json={"detail": "n: 99 is greater than the maximum\n\nFailed validating"}
    )
    with _airflow(server) as airflow, pytest.raises(AirflowRefused, match="99 is greater"):
        airflow.trigger("tiny", {"n": 99})


@pytest.mark.parametrize("conf", ["{n: 4}", "[1]"])
def test_a_conf_that_is_no_json_object_is_not_sent(server: FakeServer, conf: str) -> None:
    code, _, err = _run("trigger", "tiny", "--conf", conf)
    assert code == 2
    assert "--conf" in err
    assert "JSON" in err
    assert server.requests == []


def test_a_paused_dag_is_not_triggered(server: FakeServer) -> None:
    server.dag = {**DAG, "is_paused": True}
    with pytest.raises(StackError, match="tiny is paused"):
        CliRunner().invoke(dags.app, ["trigger", "tiny"], catch_exceptions=False)
    assert not any(request.url.path.endswith("/dagRuns") for request in server.requests)


def test_a_wrong_password_names_its_variable_and_not_its_value() -> None:
    def no(_: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"detail": "Invalid credentials"})

    with pytest.raises(AirflowUnreachable, match="AIRFLOW_OPERATOR_PASSWORD") as why:
        _airflow(no).__enter__()
    assert "not-shown" not in str(why.value)


def test_a_login_without_permission_is_refused(server: FakeServer) -> None:
    server.trigger = httpx.Response(403, json={"detail": "Forbidden"})
    with _airflow(server) as airflow, pytest.raises(AirflowRefused, match="may not do this"):
        airflow.trigger("tiny", {})


def test_an_airflow_that_does_not_run_is_reported_with_the_fix() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(AirflowUnreachable, match=r"\./fraudwatch up"):
        _airflow(refuse).__enter__()
    with pytest.raises(AirflowUnreachable, match="airflow_api"):
        _airflow(lambda _: httpx.Response(502, text="bad")).__enter__()


@pytest.mark.usefixtures("server")
def test_the_lists_are_lines_or_one_object() -> None:
    assert _run("ls")[1].split() == ["tiny", "on", "by", "hand", "Counts", "to", "n."]
    assert json.loads(_run("runs", "tiny", "--json")[1])["runs"][0]["conf"] == {"n": 4}
    assert _run("runs", "tiny")[1].startswith("queued")


def test_a_home_without_airflow_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAUDWATCH_HOME", str(tmp_path))
    with pytest.raises(StackError, match="never started here"):
        CliRunner().invoke(dags.app, ["ls"], catch_exceptions=False)
