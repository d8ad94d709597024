"""The first champion, from what was judged so far: archived, refined, learned from, step by step.

For a start on replayed history; later trainings come by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from fraudwatch.cli import dag_runs

if TYPE_CHECKING:
    from fraudwatch.adapters.airflow_api import AirflowApi

Say = Callable[[str], None]
# What learns, after what it learns from has come in.
STEPS: Final = ("archive_topics", "train_model")


def train_first_champion(airflow: AirflowApi, say: Say) -> bool:
    """Run the DAGs one after the other and tell what their tasks do; whether all went well.

    Where there is too little to learn from, the end of the log says so and the stream goes on
    with its rules.

    Raises:
        AirflowUnreachable: it did not answer for longer than a restart takes.
    """
    for name in STEPS:
        run = airflow.trigger(name, {})
        page = airflow.page_of(name, run.run_id)
        say(f"{name}: {page}")
        if dag_runs.Watch(airflow, run, page, say).until_ended()["state"] == "failed":
            return False
    return True
