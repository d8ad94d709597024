from __future__ import annotations

import os
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowFailException

from fraudwatch.orchestration.clean_up import DATABASE_URL, CleanMetadata, Removed, remove_older

BEFORE = 1_000_000.0


def a_file(path: Path, *, written_at: float, content: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    os.utime(path, (written_at, written_at))
    return path


def age_folders(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir():
            os.utime(path, (BEFORE - 1, BEFORE - 1))


def test_old_files_and_folders_left_empty_are_removed(tmp_path: Path) -> None:
    old = a_file(tmp_path / "dag_id=a/run_id=1/task_id=t/attempt=1.log", written_at=BEFORE - 1)
    young = a_file(tmp_path / "dag_id=a/run_id=2/task_id=t/attempt=1.log", written_at=BEFORE)
    age_folders(tmp_path)
    assert remove_older(tmp_path, BEFORE) == Removed(1, 1)
    assert not old.exists()
    assert young.exists()
    assert [path.name for path in (tmp_path / "dag_id=a").iterdir()] == ["run_id=2"]
    assert remove_older(tmp_path, BEFORE) == Removed(0, 0)


def test_a_folder_that_a_task_has_just_created_stays(tmp_path: Path) -> None:
    (tmp_path / "dag_id=a").mkdir()
    remove_older(tmp_path, BEFORE)
    assert (tmp_path / "dag_id=a").exists()


def test_a_link_to_another_folder_is_not_followed(tmp_path: Path) -> None:
    outside = a_file(tmp_path / "outside/file", written_at=BEFORE - 1)
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "latest").symlink_to(tmp_path / "outside")
    assert remove_older(logs, BEFORE) == Removed(0, 0)
    assert outside.exists()


def test_without_the_address_of_the_database_the_task_fails_with_a_fix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(DATABASE_URL, raising=False)
    with pytest.raises(AirflowFailException, match=r"AIRFLOW_DATABASE_URL in \.env"):
        CleanMetadata(task_id="clean_metadata", before="2026-11-01").execute({})
