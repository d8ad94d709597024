"""Fixtures that the command-line tests share with the tests of their use cases."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from fraudwatch.cli import reporting_job
from fraudwatch.stack.foreground import JobResult
from tests.unit.application.evaluation.conftest import write_files

__all__ = ["write_files"]


class JobRun(NamedTuple):
    """Run of a reporting job, as a command asked for it."""

    name: str
    arguments: tuple[str, ...]
    accepted_codes: tuple[int, ...]


def fake_reporting_job(monkeypatch: pytest.MonkeyPatch, ended: JobResult) -> list[JobRun]:
    """Let every reporting job end like this; return the list to which its runs are added."""
    runs: list[JobRun] = []

    def run(
        _home: object,
        _catalogue: object,
        name: str,
        arguments: list[str],
        _notify: object,
        *,
        accepted_codes: tuple[int, ...],
    ) -> JobResult:
        runs.append(JobRun(name, tuple(arguments), accepted_codes))
        return ended

    monkeypatch.setattr(reporting_job, "run_in_foreground", run)
    return runs
