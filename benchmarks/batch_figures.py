"""Compute the figures of a measured batch day: rows per second and memory, step by step."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Names of the input row count in the jobs' JSON.
_ROW_COUNTS = ("rows_in", "purchases")


class StepFailed(RuntimeError):
    """A step of the measured day failed, so its time is no result."""


@dataclass(frozen=True, slots=True)
class StepRun:
    """One run of a command: last line of output, time and peak memory."""

    name: str
    seconds: float
    peak_rss_mib: int
    exit_code: int
    last_line: str
    stderr_tail: str = ""


@dataclass(frozen=True, slots=True)
class StepFigures:
    """Reported figures of a step. Rows are the job's own count; None if it gave none."""

    name: str
    seconds: float
    rows: int | None
    rows_per_second: int | None
    peak_rss_mib: int


def figures_of_step(run: StepRun, job: str) -> StepFigures:
    """Compute the figures of one step; ``job`` is its name in the job outcomes.

    Raises:
        StepFailed: the exit code is not 0; the text holds the end of its standard error.
    """
    if run.exit_code != 0:
        raise StepFailed(f"{run.name} failed ({run.exit_code}):\n{run.stderr_tail}")
    rows = rows_reported(run.last_line, job)
    pace = None if rows is None or run.seconds <= 0 else round(rows / run.seconds)
    return StepFigures(run.name, round(run.seconds, 1), rows, pace, run.peak_rss_mib)


def rows_reported(line: str, job: str) -> int | None:
    """Sum the input rows in a job's JSON, of its outcomes or its own; None if it has none.

    Outcomes of another job do not count: refining also reports its extract.
    """
    try:
        document = json.loads(line)
    except json.JSONDecodeError:
        return None
    if not isinstance(document, dict):
        return None
    parts = [one for one in document.get("outcomes", [document]) if isinstance(one, dict)]
    # A job of several tables has an outcome for each: "archive_topics:fraud_topic".
    own = [one for one in parts if str(one.get("job", job)).partition(":")[0] == job]
    counts = [one[name] for one in own for name in _ROW_COUNTS if name in one]
    return sum(counts) if counts else None


def report_of(
    purchases: int,
    steps: Sequence[StepFigures],
    quiet: Mapping[str, Any],
    beside: Mapping[str, Any],
) -> dict[str, Any]:
    """Build the report of the batch benchmark.

    Args:
        purchases: Number of purchases of the day.
        steps: Figures of the steps, in order.
        quiet: The stream's latencies with no job beside it.
        beside: The same while the archive job ran.
    """
    seconds = sum(step.seconds for step in steps)
    return {
        "purchases": purchases,
        "seconds": round(seconds, 1),
        "purchases_per_second": round(purchases / seconds) if seconds else None,
        "peak_rss_mib": max((step.peak_rss_mib for step in steps), default=None),
        "steps": [{name: getattr(step, name) for name in StepFigures.__slots__} for step in steps],
        "stream": {
            "quiet_event_to_verdict_ms": dict(quiet),
            "beside_archive_event_to_verdict_ms": dict(beside),
            "p99_times": _times(beside.get("p99"), quiet.get("p99")),
        },
    }


def _times(now: float | None, before: float | None) -> float | None:
    return round(now / before, 2) if now is not None and before else None
