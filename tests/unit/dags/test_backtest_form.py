"""The form of ``backtest_policy`` and the command lines of its two jobs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.sdk.execution_time import macros

FILE = Path(__file__).parents[3] / "dags/backtest_policy.py"
TEXT = 'version: "1"\nrules: {}  # {{ dag }} and "quotes"\n'
DAYS = ["--from=2026-11-01", "--until=2026-11-03"]


@pytest.fixture(scope="module")
def dag() -> DAG:
    rendered: DAG = DagBag(dag_folder=str(FILE)).dags["backtest_policy"]
    return rendered


def arguments_of(dag: DAG, **form: str) -> list[str]:
    run = SimpleNamespace(run_after=datetime(2026, 11, 21, 0, 30, tzinfo=UTC))
    params = dict.fromkeys(("policy", "yaml", "lists", "from", "until")) | form
    context: Any = {"params": params, "dag_run": run, "macros": macros}
    rendered = []
    for name, arguments in (("check_policy", "arguments"), ("backtest_policy", "application_args")):
        task = dag.get_task(name)
        given = task.render_template(getattr(task, arguments), context, dag.get_template_env())
        rendered.append([one for one in given if one])
    checked, backtested = rendered
    assert checked == [*backtested, "--check"]
    return backtested


@pytest.mark.parametrize(
    ("form", "arguments"),
    [
        ({}, ["--policy=default", "--from=2026-11-20", "--until=2026-11-20"]),
        ({"policy": "strict", "from": "2026-11-01", "until": "2026-11-03"},
         ["--policy=strict", *DAYS]),
        ({"yaml": TEXT, "policy": "strict", "from": "2026-11-01", "until": "2026-11-03"},
         [f"--policy-text={TEXT}", *DAYS]),
        ({"yaml": TEXT, "lists": "entries: []\n", "from": "2026-11-01", "until": "2026-11-03"},
         [f"--policy-text={TEXT}", "--lists-text=entries: []\n", *DAYS]),
        ({"until": "2026-11-03"}, ["--policy=default", "--from=2026-11-03", DAYS[1]]),
        ({"from": "2026-11-01"}, ["--policy=default", DAYS[0], "--until=2026-11-01"]),
    ],
)  # fmt: skip
def test_the_form_sets_policy_and_days(
    dag: DAG, form: dict[str, str], arguments: list[str]
) -> None:
    assert arguments_of(dag, **form) == arguments


def test_a_path_is_refused_as_a_name(dag: DAG) -> None:
    param = dag.params.get_param("policy")
    assert param.resolve("strict-2") == "strict-2"
    for path in ("../default", "/etc/passwd", "a.yaml", "@file"):
        with pytest.raises(ValueError, match=r"policy|pattern|match"):
            param.resolve(path)
