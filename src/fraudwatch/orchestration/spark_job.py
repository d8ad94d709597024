"""Submits a job of ``spark_jobs/`` with the Spark of the lake's environment."""

from __future__ import annotations

import json
import logging
import os
import shlex
from collections.abc import Iterable, Sequence
from typing import Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import Context

from fraudwatch.adapters.lake.session import log_options
from fraudwatch.lake import WAREHOUSE_FOLDER
from fraudwatch.orchestration.job_process import JobProcess
from fraudwatch.orchestration.settings import JobSettings
from fraudwatch.settings import LakeSettings

SPARK_POOL = "spark"
CONNECTION_ID = "spark_default"
# Of the hook, which would open each task's log with 2 kB of command line: jars, mostly.
_hook_log = logging.getLogger(__name__)
_hook_log.setLevel(logging.WARNING)


class SparkJob(SparkSubmitOperator):
    """Submits one job; an argument that renders to nothing is left out.

    The driver runs here (client mode), so that the task's end is the job's end. Jars and memory go
    with the submission: a session that has begun can no longer put a jar on its own class path.
    """

    _job: JobProcess | None = None

    def execute(self, context: Context) -> dict[str, Any] | None:  # type: ignore[override]
        """Run the job; what it prints by --json goes to the tasks behind it.

        Raises:
            JobFailed: it ended with anything but 0.
        """
        script = self.application
        self.prepare(JobSettings(), LakeSettings())
        # Airflow tells a job its DAG, run, task and attempt, but not which part of a mapped task.
        part = context["ti"].map_index
        if part is not None:
            self.env_vars = (self.env_vars or {}) | {"AIRFLOW_CTX_MAP_INDEX": str(part)}
        self.log.info("submits %s", shlex.join([script, *(self.application_args or ())]))
        self._job = JobProcess(
            self.command(),
            name=script.removesuffix(".py"),
            environment={**os.environ, **(self.env_vars or {})},
            log=self.log,
        )
        return last_document(self._job.run())

    def command(self) -> list[str]:
        """The whole spark-submit command, as the provider's hook builds it."""
        hook = self._get_hook()
        silenced: Any = _hook_log
        hook._log = silenced  # noqa: SLF001  it has no other door
        built: list[str] = hook._build_spark_submit_command(self.application)  # noqa: SLF001
        return built

    def prepare(self, job: JobSettings, lake: LakeSettings) -> None:
        """Fill in what is known only where the task runs."""
        root, python = job.fraudwatch_root, str(job.fraudwatch_lake_python)
        self.application = str(root / "spark_jobs" / self.application)
        self.application_args = [str(given) for given in self.application_args or () if given]
        self.env_vars = {"PYSPARK_PYTHON": python, "PYSPARK_DRIVER_PYTHON": python}
        self.jars = lake.jars or None
        self.conf = {
            "spark.driver.extraJavaOptions": log_options(root),
            "spark.sql.warehouse.dir": lake.at(WAREHOUSE_FOLDER),
        }
        self._spark_binary = str(job.spark_submit)
        self._driver_memory = lake.driver_memory

    def on_kill(self) -> None:
        """End the driver and its workers."""
        if self._job is not None:
            self._job.end()


def last_document(lines: Iterable[str]) -> dict[str, Any] | None:
    """The JSON object that a job said last; None where it said none."""
    for line in reversed(list(lines)):
        if line.startswith("{"):
            try:
                told = json.loads(line)
            except ValueError:
                continue
            return told if isinstance(told, dict) else None
    return None


def submit(task_id: str, application: str, arguments: Sequence[Any], **kwargs: Any) -> SparkJob:
    """The task that submits ``spark_jobs/APPLICATION``: one at a time on this machine."""
    return SparkJob(
        task_id=task_id,
        application=application,
        application_args=list(arguments),
        conn_id=CONNECTION_ID,
        name="{{ dag.dag_id }}.{{ task.task_id }}",
        pool=SPARK_POOL,
        **kwargs,
    )
