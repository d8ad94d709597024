from __future__ import annotations

import json
import os
import sys
from datetime import date
from pathlib import Path

import pytest

from benchmarks.batch_benchmark import shop_settings
from benchmarks.batch_figures import StepFailed, StepFigures, StepRun, figures_of_step, report_of
from benchmarks.batch_steps import steps_of
from benchmarks.fold_pace import pace_of
from benchmarks.measured_command import run_measured
from fraudwatch.stack.home import ROOT

OUTCOME = json.dumps(
    {
        "outcomes": [
            {"job": "archive_topics:fraud_topic", "rows_in": 600},
            {"job": "archive_topics:labels_topic", "rows_in": 400},
        ],
        "failed": [],
    }
)


def a_run(**changes: object) -> StepRun:
    usual: dict[str, object] = {
        "name": "archive", "seconds": 20.0, "peak_rss_mib": 900, "exit_code": 0,
        "last_line": OUTCOME,
    }  # fmt: skip
    return StepRun(**(usual | changes))  # type: ignore[arg-type]


def figures(**changes: object) -> StepFigures:
    return figures_of_step(a_run(**changes), "archive_topics")


def test_rows_are_the_jobs_own_count_and_give_its_throughput() -> None:
    step = figures()
    assert (step.rows, step.rows_per_second, step.seconds) == (1_000, 50, 20.0)


@pytest.mark.parametrize("line", ["", "done", "[]", "{}", '{"outcomes": []}', "7"])
def test_a_job_without_a_row_count_has_an_unknown_throughput(line: str) -> None:
    step = figures(last_line=line)
    assert (step.rows, step.rows_per_second) == (None, None)


def test_a_jobs_own_object_counts_too() -> None:
    assert figures(last_line='{"rows_in": 7}').rows == 7
    assert figures(last_line='{"purchases": 9, "pages": 2}').rows == 9


def test_outcomes_of_another_job_do_not_count() -> None:
    outcomes = [{"job": "extract_day", "rows_in": 5}, {"job": "refine_day", "rows_in": 4}]
    run = a_run(last_line=json.dumps({"outcomes": outcomes}))
    assert figures_of_step(run, "refine_day").rows == 4


def test_a_failed_step_ends_the_measurement_with_its_reason() -> None:
    with pytest.raises(StepFailed, match="no NameNode"):
        figures(exit_code=1, stderr_tail="no NameNode")


def test_the_report_sums_the_steps_and_compares_the_stream() -> None:
    steps = [figures(), figures(name="refine", seconds=5.0, peak_rss_mib=1_200)]
    report = report_of(1_000, steps, {"p99": 80.0}, {"p99": 100.0})
    assert (report["seconds"], report["purchases_per_second"]) == (25.0, 40)
    assert report["peak_rss_mib"] == 1_200
    assert [step["name"] for step in report["steps"]] == ["archive", "refine"]
    assert report["stream"]["p99_times"] == 1.25
    assert report_of(1, steps, {}, {"p99": 1.0})["stream"]["p99_times"] is None


def test_the_day_is_yesterday_whole() -> None:
    shop = shop_settings(1_000_000, date(2026, 11, 21))
    assert shop["SHOP_EPOCH"] == "2026-11-20T00:00Z"
    assert (shop["SHOP_HISTORY_DAYS"], shop["SHOP_HISTORY_PURCHASES"]) == ("1", "1000000")


def test_the_steps_are_the_agreed_commands() -> None:
    environment = {"FRAUDWATCH_LAKE_PYTHON": "/envs/lake/bin/python", "LAKE_JARS": "a.jar,b.jar"}
    argv = {step.name: step.argv(environment) for step in steps_of(date(2026, 11, 20))}
    assert argv["extract"] == [
        "/envs/lake/bin/python", "-m", "batch.extract_day", "--day", "2026-11-20", "--json",
    ]  # fmt: skip
    # A job's Spark logs warnings only, as under Airflow.
    logging = f"-Dlog4j2.configurationFile=file:{ROOT}/docker/spark/job-log4j2.properties"
    assert argv["reports"] == [
        "/envs/lake/bin/spark-submit", "--jars", "a.jar,b.jar", "--driver-memory", "1g",
        "--conf", f"spark.driver.extraJavaOptions={logging}",
        "spark_jobs/marts/build_reports.py",
        "--from", "2026-11-20", "--until", "2026-11-20", "--json",
    ]  # fmt: skip
    assert list(argv)[3:5] == ["archive", "refine topics"]
    outcomes = [step.outcome for step in steps_of(date(2026, 11, 20))]
    assert outcomes[:3] == ["extract_day", "check_day", "refine_day"]


def test_a_command_is_measured_with_its_children() -> None:
    child = "import time; kept = bytearray(b'x' * 60_000_000); time.sleep(1.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}]); print(1)"
    run = run_measured(
        "two", [sys.executable, "-c", parent], environment=os.environ, folder=Path.cwd(), seconds=60
    )
    assert (run.exit_code, run.last_line) == (0, "1")
    assert run.seconds > 1.5
    assert run.peak_rss_mib > 65


def test_the_end_of_standard_error_is_recorded() -> None:
    argv = [sys.executable, "-c", "import sys; sys.exit('cause, effect, cure')"]
    run = run_measured("x", argv, environment=os.environ, folder=Path.cwd(), seconds=60)
    assert (run.exit_code, run.stderr_tail.strip()) == (1, "cause, effect, cure")


def test_the_pace_of_the_fold_is_that_of_the_last_pass() -> None:
    assert pace_of(1_000, [20.0, 12.0, 10.004]) == {
        "messages": 1_000, "pass_seconds": [20.0, 12.0, 10.0], "messages_per_second": 100,
    }  # fmt: skip
