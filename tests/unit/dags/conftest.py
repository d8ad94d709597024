"""Airflow's environment, set before any test imports Airflow, and folders of trial jobs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import tests.airflow_environment  # noqa: F401  importing it sets the environment


@pytest.fixture
def job_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in which a test writes jobs of its own, run by this interpreter."""
    monkeypatch.setenv("FRAUDWATCH_ROOT", str(tmp_path))
    monkeypatch.setenv("FRAUDWATCH_LAKE_PYTHON", sys.executable)
    return tmp_path
