"""Watches a run until it ends: prints what its tasks do, and first why one of them failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from fraudwatch.adapters.edge.airflow_answers import Run, Task
from fraudwatch.adapters.edge.airflow_api import AirflowApi, AirflowUnreachable

POLL_SECONDS = 1.0
# As long as airflow_api may take to come back after its death.
PATIENCE_SECONDS = 120.0
SHOWN_LINES = 25
KILLED = (
    "the task was killed or lost before it could give a reason: out of memory, kill -9, or its "
    "machine went away"
)
Say = Callable[[str], None]


def report_of(run: Run, page: str) -> dict[str, Any]:
    """What `--json` prints of a run that nobody waits for."""
    return {**asdict(run), "page": page}


class Watch:
    """Asks for one run again and again and says what changed."""

    def __init__(self, airflow: AirflowApi, run: Run, page: str, say: Say) -> None:
        self._airflow = airflow
        self._run = run
        self._page = page
        self._say = say
        self._told = dict[str, str]()

    def until_ended(self, pause: Callable[[float], None] = time.sleep) -> dict[str, Any]:
        """Return the report of the ended run, with the reason of each failure and its log's end.

        Raises:
            AirflowUnreachable: there was no answer for longer than a restart takes.
        """
        answered_at = time.monotonic()
        while True:
            try:
                run, tasks = self._look()
                answered_at = time.monotonic()
            except AirflowUnreachable:
                if time.monotonic() - answered_at > PATIENCE_SECONDS:
                    raise
            else:
                if run.has_ended:
                    return self._ended(run, tasks)
            pause(POLL_SECONDS)

    def _look(self) -> tuple[Run, list[Task]]:
        # The run first: its tasks are then at least as far.
        run = self._airflow.run(self._run.dag, self._run.run_id)
        tasks = self._airflow.tasks(run.dag, run.run_id)
        for task in tasks:
            self._tell(task)
        return run, tasks

    def _tell(self, task: Task) -> None:
        name = title_of(task)
        if self._told.get(name, "waiting") != task.state:
            took = "" if task.seconds is None else f" after {task.seconds:.1f} s"
            self._say(f"  {name}: {task.state}{took if task.state != 'running' else ''}")
        self._told[name] = task.state

    def _ended(self, run: Run, tasks: list[Task]) -> dict[str, Any]:
        took = "" if run.seconds is None else f" after {run.seconds:.1f} s"
        self._say(f"{run.dag} {run.state}{took}")
        failures = [self._failure(task) for task in tasks if task.state == "failed"]
        rows = [asdict(task) for task in tasks]
        return {**report_of(run, self._page), "tasks": rows, "failures": failures}

    def _failure(self, task: Task) -> dict[str, Any]:
        log = self._airflow.log(self._run.dag, self._run.run_id, task)
        reason, lines = log.reason or KILLED, log.lines[-SHOWN_LINES:]
        self._say(f"{title_of(task)} failed in try {task.tries}: {reason}")
        self._say(f"  what to do: docs/dags.md#{self._run.dag}, section If it fails")
        self._say(f"  log: {log_page(self._page, task)}")
        self._say("  the end of the log:")
        for line in lines:
            self._say(f"  | {line}")
        return {
            "task": title_of(task),
            "tries": task.tries,
            "reason": reason,
            "log_end": lines,
        }


def log_page(page: str, task: Task) -> str:
    """The page of a task's last try, below the page of its run."""
    mapped = "" if task.part < 0 else f"/mapped/{task.part}"
    return f"{page}/tasks/{task.name}{mapped}?try_number={task.tries}"


def title_of(task: Task) -> str:
    """The task's name, with the number of the part where it is mapped."""
    return task.name if task.part < 0 else f"{task.name}[{task.part}]"
