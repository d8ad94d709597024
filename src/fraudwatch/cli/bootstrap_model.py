"""The first champion, from what was judged so far: archived, refined, learned from, step by step.

For a start on replayed history; later trainings come by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from fraudwatch.cli import dag_runs

if TYPE_CHECKING:
    from fraudwatch.adapters.edge.airflow_answers import Run
    from fraudwatch.adapters.edge.airflow_api import AirflowApi

Say = Callable[[str], None]
# What learns, after what it learns from has come in.
STEPS: Final = ("archive_topics", "train_model")
_RUNS: Final = 5


def train_first_champion(airflow: AirflowApi, say: Say) -> None:
    """Run the DAGs one after the other and tell what their tasks do, until one of them fails.

    A run that the clock has started and that has not ended is watched instead of asking for
    another, which would wait for it and then do the same.

    Raises:
        AirflowUnreachable: it did not answer for longer than a restart takes.
    """
    for name in STEPS:
        run = _under_way(airflow, name) or airflow.trigger(name, {})
        page = airflow.page_of(name, run.run_id)
        say(f"{name}: {page}")
        if dag_runs.Watch(airflow, run, page, say).until_ended()["state"] == "failed":
            return


def _under_way(airflow: AirflowApi, name: str) -> Run | None:
    """The newest run that has not ended."""
    return next((run for run in airflow.runs(name, _RUNS) if not run.has_ended), None)
