"""What a measured day of the batch layer comes to: rows a second and memory, step by step."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# What a job's JSON calls the rows it took in.
_ROWS = ("rows_in", "purchases")


class StepFailed(RuntimeError):
    """A step of the measured day did not end well, so its time says nothing."""


@dataclass(frozen=True, slots=True)
class StepRun:
    """One command as it ran: its last line of output, its time and its greatest memory."""

    name: str
    seconds: float
    peak_rss_mib: int
    exit_code: int
    last_line: str
    trouble: str = ""  # the end of what it said on standard error


@dataclass(frozen=True, slots=True)
class StepFigures:
    """What is told of a step. Rows are what the job itself counted; unknown is None."""

    name: str
    seconds: float
    rows: int | None
    rows_per_second: int | None
    peak_rss_mib: int


def figures_of_step(run: StepRun, job: str) -> StepFigures:
    """The figures of one step, whose job is called so in its outcomes.

    Raises:
        StepFailed: it failed; the text holds why.
    """
    if run.exit_code != 0:
        raise StepFailed(f"{run.name} failed ({run.exit_code}):\n{run.trouble}")
    rows = rows_told(run.last_line, job)
    pace = None if rows is None or run.seconds <= 0 else round(rows / run.seconds)
    return StepFigures(run.name, round(run.seconds, 1), rows, pace, run.peak_rss_mib)


def rows_told(line: str, job: str) -> int | None:
    """The rows that a job's JSON names: of its outcomes, or its own; None when it names none.

    Where it tells of another job as well, as refining does of its extract, that one's do not count.
    """
    try:
        told = json.loads(line)
    except json.JSONDecodeError:
        return None
    if not isinstance(told, dict):
        return None
    parts = [one for one in told.get("outcomes", [told]) if isinstance(one, dict)]
    # A job of several tables tells of each: "archive_topics:fraud_topic".
    own = [one for one in parts if str(one.get("job", job)).partition(":")[0] == job]
    counts = [one[name] for one in own for name in _ROWS if name in one]
    return sum(counts) if counts else None


def report_of(
    purchases: int,
    steps: Sequence[StepFigures],
    quiet: Mapping[str, Any],
    beside: Mapping[str, Any],
) -> dict[str, Any]:
    """The whole report.

    Args:
        purchases: How many the day holds.
        steps: In their order.
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
