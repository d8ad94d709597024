"""Set Airflow's environment before any test imports Airflow; folders of trial jobs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import tests.airflow_environment  # noqa: F401  importing it sets the environment


@pytest.fixture
def job_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a checkout for jobs of a test, run by this interpreter."""
    monkeypatch.setenv("FRAUDWATCH_ROOT", str(tmp_path))
    monkeypatch.setenv("FRAUDWATCH_LAKE_PYTHON", sys.executable)
    return tmp_path
