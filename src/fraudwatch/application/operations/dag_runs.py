"""Newest DAG runs, and the port that reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class DagRunsUnavailable(Exception):
    """DAG runs cannot be read now; the message gives the cause and the fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DagRun:
    """One run of a DAG."""

    dag: str
    run_id: str
    state: str
    started_at: str | None
    seconds: float | None
    url: str


@dataclass(frozen=True, slots=True)
class DagOverview:
    """Newest runs of all DAGs, newest first, and the DAGs that are paused."""

    runs: Sequence[DagRun]
    paused: Sequence[str]


class DagRuns(Protocol):
    """Runs of the scheduler."""

    def overview(self, limit: int) -> DagOverview:
        """Return the newest runs of all DAGs, at most ``limit``.

        Raises:
            DagRunsUnavailable: the scheduler does not answer, or refuses.
        """
