"""Rules that every DAG follows for the operator who is on call."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import time
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.sdk.definitions.mappedoperator import MappedOperator

from fraudwatch.orchestration.dag_pages import PAGE, page
from fraudwatch.orchestration.defaults import NO_RETRY, OWNER
from fraudwatch.orchestration.failure_mail import mail_failure, store_reason
from fraudwatch.orchestration.spark_job import SPARK_POOL, SparkJob
from fraudwatch.orchestration.tags import TAGS, Impact

DAGS = Path(__file__).parents[3] / "dags"
FILES = sorted(DAGS.glob("*.py"))
SECTIONS = ["Purpose", "When", "Reads", "Writes", "If it fails", "Parameters", "Owner"]
HEAVY = ("pyspark", "pandas", "polars", "numpy", "numba", "tink", "pyarrow", "sklearn", "cassandra")
MAY_BE_IMPORTED = ("airflow.sdk", "airflow.providers", "fraudwatch.orchestration")
GRAPHS = {
    "archive_topics": {
        "archive_topics": {"refine_topics"},
        "refine_topics": {"build_risk_views"},
        "build_risk_views": set(),
    },
    "backtest_policy": {"check_policy": {"backtest_policy"}, "backtest_policy": set()},
    "build_reports": {"ranges": {"one_stretch.build_reports"}, "one_stretch.build_reports": set()},
    "change_champion": {"change_champion": set()},
    "clean_up": {"clean_metadata": set(), "clean_logs": set()},
    "enforce_retention": {"enforce_retention": set()},
    "monitor_drift": {"monitor_drift": {"ask_for_model"}, "ask_for_model": set()},
    "reconcile_views": {"check_views": set()},
    "renew_alert_curve": {"renew_alert_curve": set()},
    "ingest_transactions": {
        "days": {"announce", "one_day.extract_day", "one_day.check_day", "one_day.refine_day"},
        "one_day.extract_day": {"one_day.check_day"},
        "one_day.check_day": {"one_day.refine_day"},
        "one_day.refine_day": {"announce"},
        "announce": set(),
    },
    "train_model": {"train_model": set()},
}
# Expensive tasks whose retry would give the same result: an operator or the next day repeats them.
ONE_TRY = ("train_model", "change_champion")


@cache
def bag() -> tuple[DagBag, float]:
    began = time.process_time()
    return DagBag(dag_folder=str(DAGS)), time.process_time() - began


def dags() -> list[DAG]:
    return list(bag()[0].dags.values())


@pytest.fixture(params=[path.stem for path in FILES])
def dag(request: pytest.FixtureRequest) -> DAG:
    found: DAG = bag()[0].dags[request.param]
    return found


def test_every_file_parses_and_defines_the_dag_of_its_name() -> None:
    assert bag()[0].import_errors == {}
    assert {dag.dag_id for dag in dags()} == {path.stem for path in FILES}


def test_the_graph_changes_only_on_purpose(dag: DAG) -> None:
    assert {t.task_id: set(t.downstream_task_ids) for t in dag.tasks} == GRAPHS[dag.dag_id]


def test_all_files_parse_within_a_second_of_processor_time() -> None:
    assert bag()[1] < 1.0 * len(FILES) + 4.0  # the first import of Airflow's providers is in it


def test_a_dag_declares_its_schedule_and_concurrency(dag: DAG) -> None:
    source = (DAGS / f"{dag.dag_id}.py").read_text(encoding="utf-8")
    for argument in ("schedule", "start_date", "catchup", "max_active_runs", "tags", "doc_md"):
        assert f"    {argument}=" in source
    assert dag.catchup is False
    assert dag.max_active_runs == 1
    assert dag.start_date is not None


def test_a_dag_has_known_tags_and_one_impact_tier(dag: DAG) -> None:
    assert set(dag.tags) <= TAGS
    assert len(set(dag.tags) & set(Impact)) == 1


def test_both_failure_callbacks_are_set(dag: DAG) -> None:
    assert dag.on_failure_callback is mail_failure
    for task in dag.tasks:
        assert store_reason in _listed(task.on_failure_callback)


def _listed(callbacks: object) -> list[object]:
    return list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]


def test_a_task_has_an_owner_a_timeout_and_retries(dag: DAG) -> None:
    for task in dag.tasks:
        assert task.owner == OWNER
        assert task.execution_timeout is not None
        assert task.execution_timeout <= timedelta(hours=1)
        name = task.task_id.split(".")[-1]
        is_tried_once = name.startswith("check_") or name in ONE_TRY
        assert task.retries == (NO_RETRY if is_tried_once else 2)
        assert task.retry_exponential_backoff


def test_spark_has_one_slot(dag: DAG) -> None:
    for task in dag.tasks:
        kind = task.operator_class if isinstance(task, MappedOperator) else type(task)
        assert (task.pool == SPARK_POOL) == (kind is SparkJob)


def test_a_parameter_has_a_schema_and_a_description(dag: DAG) -> None:
    described = re.findall(r"`(\w+)`", _section(dag, "Parameters"))
    assert described
    assert set(described) == set(dag.params)
    for name in dag.params:
        param = dag.params.get_param(name)
        assert param.description
        assert param.schema["pattern"]
        assert param.resolve() is None  # an empty form is a run by the clock


def test_the_page_has_every_section(dag: DAG) -> None:
    assert re.findall(r"^### (.+)$", dag.doc_md or "", re.MULTILINE) == SECTIONS
    for section in SECTIONS:
        assert _section(dag, section)


def _section(dag: DAG, name: str) -> str:
    return (dag.doc_md or "").split(f"### {name}\n")[1].split("\n### ")[0].strip()


def test_the_page_of_all_dags_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run python -m fraudwatch.orchestration.dag_pages"
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_only_declares_its_graph(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 110
    for node in ast.walk(ast.parse(text)):
        assert not isinstance(node, ast.Import | ast.If | ast.For | ast.While | ast.Try | ast.With)
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").startswith(MAY_BE_IMPORTED)


def test_parsing_imports_nothing_heavy_and_reads_no_setting() -> None:
    code = (
        "import sys\n"
        "from airflow.dag_processing.dagbag import DagBag\n"
        f"print(DagBag(dag_folder={str(DAGS)!r}).import_errors)\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=DAGS.parent
    )
    assert done.stdout.splitlines()[-2:] == ["{}", "[]"]
