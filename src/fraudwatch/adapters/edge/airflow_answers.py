"""Parse answers of Airflow's REST API: DAGs, runs, tasks and log lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

ENDED = frozenset({"success", "failed"})
# Exceptions whose text is a whole sentence.
_SENTENCES = frozenset({"JobFailed", "AirflowFailException"})


@dataclass(frozen=True, slots=True)
class Dag:
    """DAG of the list."""

    name: str
    description: str
    schedule: str
    is_paused: bool


@dataclass(frozen=True, slots=True)
class Run:
    """Run of a DAG."""

    dag: str
    run_id: str
    state: str
    started_at: str | None
    seconds: float | None
    conf: Mapping[str, Any]

    @property
    def has_ended(self) -> bool:
        """Return whether the run has ended."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Task:
    """Task of a run; a mapped task appears once for each of its parts."""

    name: str
    part: int
    state: str
    tries: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class TaskLog:
    """The log of one try of a task, and why the try failed."""

    lines: list[str]
    reason: str | None
    """None where the log holds none: the task was killed."""


def dag_of(raw: Mapping[str, Any]) -> Dag:
    """Parse a DAG."""
    return Dag(
        name=raw["dag_id"],
        description=raw["description"] or "",
        schedule=raw["timetable_summary"] or "by hand",
        is_paused=raw["is_paused"],
    )


def run_of(raw: Mapping[str, Any]) -> Run:
    """Parse a run."""
    return Run(
        dag=raw["dag_id"],
        run_id=raw["dag_run_id"],
        state=raw["state"],
        started_at=raw["start_date"],
        seconds=raw["duration"],
        conf=raw["conf"] or {},
    )


def task_of(raw: Mapping[str, Any]) -> Task:
    """Parse a task instance."""
    return Task(
        name=raw["task_id"],
        part=raw["map_index"],
        state=raw["state"] or "waiting",
        tries=raw["try_number"],
        seconds=raw["duration"],
    )


def log_of(content: list[Any]) -> TaskLog:
    """A log as Airflow answers it; its last error is the reason of a try that failed."""
    errors = [error for raw in content for error in _errors_of(raw)[:1]]
    return TaskLog(
        lines=[line for raw in content for line in _lines_of(raw)],
        reason=_sentence_of(errors[-1]) if errors else None,
    )


def _errors_of(raw: Any) -> list[Mapping[str, Any]]:
    """The exception that was raised, then its causes."""
    return list(raw.get("error_detail") or ()) if isinstance(raw, dict) else []


def _sentence_of(error: Mapping[str, Any]) -> str:
    value = str(error["exc_value"])
    return value if error["exc_type"] in _SENTENCES else f"{error['exc_type']}: {value}"


def _lines_of(raw: Any) -> list[str]:
    """One event of a log, and the errors that belong to it."""
    if not isinstance(raw, dict):
        return str(raw).splitlines()
    errors = [f"{error['exc_type']}: {error['exc_value']}" for error in _errors_of(raw)]
    event = str(raw.get("event", "")).splitlines()
    # Marks by which Airflow's page folds a log.
    return [
        line for line in (*event, *errors) if not line.startswith(("::group::", "::endgroup::"))
    ]


def detail_of(answer: httpx.Response) -> str:
    """Return the error detail of an answer."""
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200]
