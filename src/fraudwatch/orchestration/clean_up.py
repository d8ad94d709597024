"""Tasks that delete Airflow's own old logs and metadata."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from airflow.sdk import BaseOperator, Context, task
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowFailException

from fraudwatch.orchestration.job_process import JobProcess

# The run's time less the days of its form, or 30.
BEFORE: Final = (
    "{{ (dag_run.run_after - macros.timedelta(days=(params.keep_days or 30) | int)).isoformat() }}"
)
DATABASE_URL: Final = "AIRFLOW_CLEAN_UP_DATABASE_URL"
_CONNECTION: Final = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"


class Removed(NamedTuple):
    """Number of files removed, and of their bytes."""

    files: int
    size_bytes: int


class CleanMetadata(BaseOperator):
    """Deletes old rows by ``airflow db clean``, in a process that may open the database.

    Airflow hides the database's address from tasks, so that it arrives in a variable of its own.
    """

    template_fields: Sequence[str] = ("before",)

    def __init__(self, *, before: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.before = before
        self._job: JobProcess | None = None

    def execute(self, context: Context) -> None:  # noqa: ARG002  Airflow's signature
        """Run the command with its output in the task's log.

        Raises:
            AirflowFailException: the database's address is missing.
            JobFailed: the command failed.
        """
        url = os.environ.get(DATABASE_URL)
        if not url:
            raise AirflowFailException(
                f"{DATABASE_URL} is not set, so no metadata was deleted; the scheduler's "
                "environment in services.toml sets it from AIRFLOW_DATABASE_URL in .env"
            )
        command = [sys.executable, "-m", "airflow", "db", "clean", "--yes", "--skip-archive"]
        self._job = JobProcess(
            [*command, "--clean-before-timestamp", self.before],
            name="airflow db clean",
            environment={**os.environ, _CONNECTION: url},
            log=self.log,
        )
        self._job.run()

    def on_kill(self) -> None:
        """End the command."""
        if self._job is not None:
            self._job.end()


@task(task_id="clean_logs")
def clean_logs(before: str) -> str:
    """Remove old files under Airflow's log folder; returns how much was removed."""
    folder = Path(conf.get("logging", "base_log_folder"))
    removed = remove_older(folder, datetime.fromisoformat(before).timestamp())
    return f"{removed.files} files, {removed.size_bytes / 2**20:.1f} MiB"


def remove_older(folder: Path, before: float) -> Removed:
    """Remove files last written before this time (epoch seconds), then old folders left empty.

    Symlinks are not followed. What another process removes or adds meanwhile is no error.
    """
    files, size_bytes = 0, 0
    for entry in list(os.scandir(folder)):
        with suppress(FileNotFoundError):
            found = entry.stat(follow_symlinks=False)
            is_old = found.st_mtime < before  # before its content is removed, which changes it
            if entry.is_dir(follow_symlinks=False):
                removed = remove_older(Path(entry.path), before)
                files, size_bytes = files + removed.files, size_bytes + removed.size_bytes
                if is_old:
                    _remove_if_empty(Path(entry.path))
            elif is_old:
                Path(entry.path).unlink()
                files, size_bytes = files + 1, size_bytes + found.st_size
    return Removed(files, size_bytes)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:
            raise
