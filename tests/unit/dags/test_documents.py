"""The document that a Spark job prints with --json, and the task that evaluates it."""

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

DOCUMENT = {
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
def test_the_last_document_counts_whatever_spark_logs_after_it(
    lines: list[str], wanted: dict[str, int] | None
) -> None:
    assert last_document(lines) == wanted


def test_a_job_returns_its_document_to_downstream_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "spark-submit"
    command.write_text("#!/bin/sh\necho began\necho '{\"a\": 1}'\necho bye >&2\n", encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("FRAUDWATCH_ROOT", str(tmp_path))
    monkeypatch.setenv("FRAUDWATCH_LAKE_PYTHON", str(tmp_path / "python"))
    monkeypatch.setenv("LAKE_FILE_SYSTEM", tmp_path.as_uri())
    part: Any = SimpleNamespace(map_index=-1)
    document = submit("monitor_drift", "drift/monitor_drift.py", ["--json"]).execute(
        Context(ti=part)
    )
    assert document == {"a": 1}


def requested_extra(monkeypatch: pytest.MonkeyPatch, document: dict[str, Any] | None) -> Any:
    """Run the task and return the extra of the asset's event."""
    event = SimpleNamespace(extra=None)
    context = {"outlet_events": {MODEL_WANTED: event}}
    monkeypatch.setattr(light_tasks, "get_current_context", lambda: context)
    ask_for_model.function(document)
    return event.extra


def test_a_model_is_requested_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert requested_extra(monkeypatch, DOCUMENT) == {
        "date": "2026-11-20",
        "past_bound": ["item_count"],
    }


def test_without_drift_no_model_is_requested(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AirflowSkipException, match="2026-11-20"):
        requested_extra(monkeypatch, DOCUMENT | {"model_wanted": False})


@pytest.mark.parametrize("document", [None, {"a": 1}])
def test_a_job_without_a_document_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, document: dict[str, Any] | None
) -> None:
    with pytest.raises(AirflowFailException, match="last line of its log"):
        requested_extra(monkeypatch, document)


@pytest.mark.parametrize(("given", "wanted"), [(None, "2026-11-20"), ("2026-03-01", "2026-03-01")])
def test_the_day_is_from_the_form_or_else_the_day_before_the_run(
    given: str | None, wanted: str
) -> None:
    due = SimpleNamespace(run_after=datetime(2026, 11, 21, 3, 30, tzinfo=UTC))
    context: Any = {"params": SimpleNamespace(date=given), "dag_run": due, "macros": macros}
    context |= {"dag": SimpleNamespace(dag_id="d"), "task": SimpleNamespace(task_id="t")}
    task = submit("check_views", "reconcile/reconcile_views.py", ["--date", DAY_BEFORE])
    task.render_template_fields(context)
    assert task.application_args == ["--date", wanted]
