"""Airflow reads its environment when it is first imported, so it is set here, before any test."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DAGS = ROOT / "dags"

os.environ |= {
    "AIRFLOW_HOME": tempfile.mkdtemp(prefix="airflow-"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
    "AIRFLOW_CONN_SPARK_DEFAULT": '{"conn_type": "spark", "host": "local[2]"}',
}


@pytest.fixture
def job_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in which a test writes jobs of its own, run by this interpreter."""
    monkeypatch.setenv("FRAUDWATCH_ROOT", str(tmp_path))
    monkeypatch.setenv("FRAUDWATCH_LAKE_PYTHON", sys.executable)
    return tmp_path
