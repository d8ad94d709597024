"""Train the first champion from the transactions scored so far: archive, refine, train.

For a start with replayed history; later trainings are scheduled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from fraudwatch.cli import dag_runs

if TYPE_CHECKING:
    from fraudwatch.adapters.edge.airflow_answers import Run
    from fraudwatch.adapters.edge.airflow_api import AirflowApi

Notify = Callable[[str], None]
# The training needs the archived topics.
STEPS: Final = ("archive_topics", "train_model")
_RUNS: Final = 5


def train_first_champion(airflow: AirflowApi, notify: Notify) -> None:
    """Run the DAGs one after the other and print their tasks' progress, until one of them fails.

    A scheduled run that has not ended is watched instead of triggering another, which would wait
    for it and then do the same.

    Raises:
        AirflowUnreachable: it did not answer for longer than a restart takes.
    """
    for name in STEPS:
        run = _active_run(airflow, name) or airflow.trigger(name, {})
        page = airflow.page_of(name, run.run_id)
        notify(f"{name}: {page}")
        if dag_runs.Watch(airflow, run, page, notify).until_ended()["state"] == "failed":
            return


def _active_run(airflow: AirflowApi, name: str) -> Run | None:
    """Return the newest run that has not ended."""
    return next((run for run in airflow.runs(name, _RUNS) if not run.has_ended), None)
