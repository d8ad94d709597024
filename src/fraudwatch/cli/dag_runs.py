"""Watch a DAG run until it ends: print its tasks' progress, and why a task failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from fraudwatch.adapters.edge.airflow_answers import Run, Task
from fraudwatch.adapters.edge.airflow_api import AirflowApi, AirflowUnreachable

POLL_SECONDS = 1.0
# Time that airflow_api needs at most to restart.
PATIENCE_SECONDS = 120.0
SHOWN_LINES = 25
KILLED = (
    "the task was killed or lost before it could record a reason: out of memory, kill -9, or its "
    "machine failed"
)
Notify = Callable[[str], None]


def report_of(run: Run, page: str) -> dict[str, Any]:
    """Return what `--json` prints of a run without --wait."""
    return {**asdict(run), "page": page}


class Watch:
    """Polls one run and prints what changed."""

    def __init__(self, airflow: AirflowApi, run: Run, page: str, notify: Notify) -> None:
        self._airflow = airflow
        self._run = run
        self._page = page
        self._notify = notify
        self._reported = dict[str, str]()

    def until_ended(self, pause: Callable[[float], None] = time.sleep) -> dict[str, Any]:
        """Wait for the end of the run; return its report, with the reason and log end of failures.

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
            self._report_change(task)
        return run, tasks

    def _report_change(self, task: Task) -> None:
        name = title_of(task)
        if self._reported.get(name, "waiting") != task.state:
            took = "" if task.seconds is None else f" after {task.seconds:.1f} s"
            self._notify(f"  {name}: {task.state}{took if task.state != 'running' else ''}")
        self._reported[name] = task.state

    def _ended(self, run: Run, tasks: list[Task]) -> dict[str, Any]:
        took = "" if run.seconds is None else f" after {run.seconds:.1f} s"
        self._notify(f"{run.dag} {run.state}{took}")
        failures = [self._failure(task) for task in tasks if task.state == "failed"]
        rows = [asdict(task) for task in tasks]
        return {**report_of(run, self._page), "tasks": rows, "failures": failures}

    def _failure(self, task: Task) -> dict[str, Any]:
        log = self._airflow.log(self._run.dag, self._run.run_id, task)
        reason, lines = log.reason or KILLED, log.lines[-SHOWN_LINES:]
        self._notify(f"{title_of(task)} failed in try {task.tries}: {reason}")
        self._notify(f"  what to do: docs/dags.md#{self._run.dag}, section If it fails")
        self._notify(f"  log: {log_page(self._page, task)}")
        self._notify("  the end of the log:")
        for line in lines:
            self._notify(f"  | {line}")
        return {
            "task": title_of(task),
            "tries": task.tries,
            "reason": reason,
            "log_end": lines,
        }


def log_page(page: str, task: Task) -> str:
    """Return the Airflow page of a task's last try, below the page of its run."""
    mapped = "" if task.part < 0 else f"/mapped/{task.part}"
    return f"{page}/tasks/{task.name}{mapped}?try_number={task.tries}"


def title_of(task: Task) -> str:
    """Return the task's name, with the index of a mapped task."""
    return task.name if task.part < 0 else f"{task.name}[{task.part}]"
