from __future__ import annotations

import ast
import logging
import re
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fraudwatch.observability import job_metrics
from fraudwatch.observability.job_metrics import (
    HOST,
    JOB_METRICS,
    PORT,
    is_on,
    run_job,
    send_gauge,
    send_rows,
)

ROOT = Path(__file__).parents[3]
[JOB] = JOB_METRICS["fraudwatch_job_seconds"].labels
PLAIN = re.compile(r"[A-Za-z0-9_./-]{1,60}")


class Received:
    """Packets that a UDP socket received."""

    def __init__(self, opened: socket.socket) -> None:
        self._opened = opened

    def lines(self) -> list[str]:
        found: list[str] = []
        while True:
            try:
                found += self._opened.recv(1_000).decode().splitlines()
            except TimeoutError:
                return found


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[Received]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.settimeout(0.2)
        monkeypatch.setenv(HOST, "127.0.0.1")
        monkeypatch.setenv(PORT, str(opened.getsockname()[1]))
        yield Received(opened)


def test_a_good_run_sends_seconds_and_its_end(received: Received) -> None:
    began = time.time()
    assert run_job("refine_day", lambda: 0) == 0
    zero, seconds, again, finished = received.lines()
    assert zero == again == "fraudwatch_job_failures,job=refine_day:0|c"
    assert re.fullmatch(r"fraudwatch_job_seconds,job=refine_day:\d+\.\d+\|ms", seconds)
    at = re.fullmatch(r"fraudwatch_job_finished_at_seconds,job=refine_day:([\d.]+)\|g", finished)
    assert at
    assert began <= float(at[1]) <= time.time()


def test_a_failed_run_is_counted_and_its_code_returned(received: Received) -> None:
    assert run_job("reconcile_views", lambda: 3) == 3
    names = [line.partition(",")[0] for line in received.lines()]
    assert names == ["fraudwatch_job_failures", "fraudwatch_job_seconds", "fraudwatch_job_failures"]


def test_an_uncaught_error_is_counted_and_passed_on(received: Received) -> None:
    def broken() -> int:
        raise RuntimeError("the lake is gone")

    with pytest.raises(RuntimeError, match="the lake is gone"):
        run_job("train_model", broken)
    assert received.lines()[-1] == "fraudwatch_job_failures,job=train_model:1|c"


@pytest.mark.parametrize(("code", "lines"), [(0, 1), (2, 3)])
def test_help_is_no_run_and_wrong_arguments_are_a_failure(
    received: Received, code: int, lines: int
) -> None:
    with pytest.raises(SystemExit):
        run_job("train_model", lambda: sys.exit(code))
    assert len(received.lines()) == lines


def test_gauges_have_plain_tags_and_unknown_values_are_left_out(received: Received) -> None:
    send_gauge("fraudwatch_quality_recall_ratio", 0.25, label_age="7d")
    send_gauge("fraudwatch_calibration_slope", None)
    send_gauge("fraudwatch_calibration_slope", float("nan"))
    send_rows({"fit_forest": 12})
    assert received.lines() == [
        "fraudwatch_quality_recall_ratio,label_age=7d:0.25|g",
        "fraudwatch_job_rows,job=fit_forest:12.0|g",
    ]


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("fraudwatch_unknown", {}),
        ("fraudwatch_job_seconds", {"job": "refine_day"}),
        ("fraudwatch_job_rows", {}),
        ("fraudwatch_job_rows", {"job": "other"}),
        ("fraudwatch_drift_psi", {"subject": "score,x=1"}),
    ],
)
def test_what_is_not_declared_is_refused(name: str, labels: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="declared"):
        send_gauge(name, 1, **labels)


def test_nothing_is_sent_without_a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HOST, raising=False)
    monkeypatch.setattr(job_metrics, "StatsClient", None)
    assert not is_on()
    assert run_job("refine_day", lambda: 0) == 0


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.1", "9"), ("no-such-host.invalid", "9125"), ("127.0.0.1", "x")]
)
def test_no_receiver_fails_no_job(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, host: str, port: str
) -> None:
    monkeypatch.setenv(HOST, host)
    monkeypatch.setenv(PORT, port)
    with caplog.at_level(logging.WARNING):
        assert run_job("refine_day", lambda: 0) == 0
    assert ("not sent" in caplog.text) is (port != "9")


def test_every_label_is_plain() -> None:
    values = {
        value
        for metric in JOB_METRICS.values()
        for label in metric.labels
        for value in label.closed_values() or ()
    }
    assert values
    assert [one for one in values if not PLAIN.fullmatch(one)] == []


def constants_of(path: Path) -> dict[str, str]:
    """Return a module's constants, and those of the day.py beside it."""
    beside = path.with_name("day.py")
    own = constants_of(beside) if beside.exists() and path != beside else {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            own[ast.unparse(target)] = str(node.value.value)
    return own


def jobs_of(path: Path) -> Iterator[str]:
    """Return the job that a module runs as a program; the statement where it has no metrics."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.If) and "__main__" in ast.unparse(node.test):
            text = ast.unparse(node.body[-1])
            found = re.fullmatch(r"sys\.exit\(run_job\((.+), main\)\)", text)
            name = found[1] if found else f"{path.stem}: {text}"
            yield constants_of(path).get(name, name.strip("'"))


def test_every_job_runs_with_metrics_and_is_declared() -> None:
    # batch.models lists and approves: a person's command, no job.
    paths = [
        path
        for folder in ("batch", "spark_jobs")
        for path in (ROOT / folder).rglob("*.py")
        if path != ROOT / "batch/models.py"
    ]
    paths.append(ROOT / "streaming/persister/refill.py")  # the persister's own job
    assert {job for path in paths for job in jobs_of(path)} == set(JOB.closed_values() or ())
