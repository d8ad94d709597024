"""Delete old metadata from a real database of Airflow, as a task does."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from fraudwatch.orchestration.clean_up import DATABASE_URL, CleanMetadata

NOT_ALLOWED = "airflow-db-not-allowed:///"
OLD, YOUNG = "2026-01-01 00:00:00.000000", "2026-11-20 00:00:00.000000"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create Airflow's tables, with an old and a young event, in a home of its own."""
    path = tmp_path / "airflow.db"
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    url = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{path}"}
    migrate = [sys.executable, "-m", "airflow", "db", "migrate"]
    subprocess.run(migrate, env=os.environ | url, check=True, capture_output=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        rows = [(OLD, "old"), (YOUNG, "young")]
        connection.executemany("INSERT INTO log (dttm, event) VALUES (?, ?)", rows)
    # As Airflow hides it from tasks.
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", NOT_ALLOWED)
    monkeypatch.setenv(DATABASE_URL, f"sqlite:///{path}")
    return path


def test_rows_before_the_time_are_deleted_and_no_archive_is_left(database: Path) -> None:
    CleanMetadata(task_id="clean_metadata", before="2026-11-01T00:00:00+00:00").execute({})
    with closing(sqlite3.connect(database)) as connection:
        events = [row[0] for row in connection.execute("SELECT event FROM log")]
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master")]
    assert "young" in events
    assert "old" not in events
    assert [name for name in tables if name.startswith("_airflow_deleted")] == []
