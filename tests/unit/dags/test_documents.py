"""What a Spark job says by --json, and what the task behind it makes of that."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.sdk.execution_time import macros

from fraudwatch.orchestration import light_tasks
from fraudwatch.orchestration.assets import MODEL_WANTED
from fraudwatch.orchestration.defaults import DAY_BEFORE
from fraudwatch.orchestration.light_tasks import ask_for_model
from fraudwatch.orchestration.spark_job import last_document, submit

TOLD = {
    "date": "2026-11-20",
    "model_wanted": True,
    "past_bound": ["item_count"],
    "said": "2026-11-20: past the bound: item_count",
}


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (["began", '{"a": 1}', "26/11/21 INFO ShutdownHookManager"], {"a": 1}),
        (['{"a": 1}', '{"a": 2}', "{ not json"], {"a": 2}),
        (["began", "done"], None),
        ([], None),
    ],
)
def test_the_last_document_counts_whatever_spark_says_behind_it(
    lines: list[str], wanted: dict[str, int] | None
) -> None:
    assert last_document(lines) == wanted


def test_a_job_hands_its_document_to_the_tasks_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "spark-submit"
    command.write_text("#!/bin/sh\necho began\necho '{\"a\": 1}'\necho bye >&2\n", encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("FRAUDWATCH_ROOT", str(tmp_path))
    monkeypatch.setenv("FRAUDWATCH_LAKE_PYTHON", str(tmp_path / "python"))
    monkeypatch.setenv("LAKE_FILE_SYSTEM", tmp_path.as_uri())
    part: Any = SimpleNamespace(map_index=-1)
    told = submit("monitor_drift", "drift/monitor_drift.py", ["--json"]).execute(Context(ti=part))
    assert told == {"a": 1}


def asks(monkeypatch: pytest.MonkeyPatch, told: dict[str, Any] | None) -> Any:
    """What the asset's event would hold."""
    event = SimpleNamespace(extra=None)
    context = {"outlet_events": {MODEL_WANTED: event}}
    monkeypatch.setattr(light_tasks, "get_current_context", lambda: context)
    ask_for_model.function(told)
    return event.extra


def test_a_model_is_asked_for_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asks(monkeypatch, TOLD) == {"date": "2026-11-20", "past_bound": ["item_count"]}


def test_on_a_quiet_day_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AirflowSkipException, match="2026-11-20"):
        asks(monkeypatch, TOLD | {"model_wanted": False})


@pytest.mark.parametrize("told", [None, {"a": 1}])
def test_a_job_that_says_nothing_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, Any] | None
) -> None:
    with pytest.raises(AirflowFailException, match="last line of its log"):
        asks(monkeypatch, told)


@pytest.mark.parametrize(("given", "wanted"), [(None, "2026-11-20"), ("2026-03-01", "2026-03-01")])
def test_the_day_is_the_forms_else_the_one_before_the_runs(given: str | None, wanted: str) -> None:
    due = SimpleNamespace(run_after=datetime(2026, 11, 21, 3, 30, tzinfo=UTC))
    context: Any = {"params": SimpleNamespace(date=given), "dag_run": due, "macros": macros}
    context |= {"dag": SimpleNamespace(dag_id="d"), "task": SimpleNamespace(task_id="t")}
    task = submit("check_views", "reconcile/reconcile_views.py", ["--date", DAY_BEFORE])
    task.render_template_fields(context)
    assert task.application_args == ["--date", wanted]
