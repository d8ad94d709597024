"""Submit a job of ``spark_jobs/`` with the Spark of the lake's environment."""

from __future__ import annotations

import json
import logging
import os
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
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
# For the hook, which would begin each task's log with 2 kB of command line, mostly jars.
_hook_log = logging.getLogger(__name__)
_hook_log.setLevel(logging.WARNING)


class SparkJob(SparkSubmitOperator):
    """Submits one job; arguments that render to nothing are left out.

    The driver runs here (client mode), so that the job ends with the task. Jars and memory are set
    at submission: a running session can no longer add a jar to its own class path.
    """

    _job: JobProcess | None = None

    def execute(self, context: Context) -> dict[str, Any] | None:  # type: ignore[override]
        """Run the job and return the document that it prints with --json to downstream tasks.

        Raises:
            JobFailed: its exit code was not 0.
        """
        script = Path(self.application)
        self.prepare(JobSettings(), LakeSettings())
        # Airflow passes a job its DAG, run, task and attempt, but not the index of a mapped task.
        part = context["ti"].map_index
        if part is not None:
            self.env_vars = (self.env_vars or {}) | {"AIRFLOW_CTX_MAP_INDEX": str(part)}
        self.log.info("submits %s", shlex.join([script.name, *(self.application_args or ())]))
        self._job = JobProcess(
            self.command(),
            name=script.stem,
            environment={**os.environ, **(self.env_vars or {})},
            log=self.log,
        )
        return last_document(self._job.run())

    def command(self) -> list[str]:
        """Build the whole spark-submit command by the provider's hook."""
        hook = self._get_hook()
        quiet_log: Any = _hook_log
        hook._log = quiet_log  # noqa: SLF001  the hook has no other way
        built: list[str] = hook._build_spark_submit_command(self.application)  # noqa: SLF001
        return built

    def prepare(self, job: JobSettings, lake: LakeSettings) -> None:
        """Set the fields that are known only where the task runs."""
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
        """End the driver and its worker processes."""
        if self._job is not None:
            self._job.end()


def last_document(lines: Iterable[str]) -> dict[str, Any] | None:
    """Parse the last JSON object in a job's output; None where there is none."""
    for line in reversed(list(lines)):
        if line.startswith("{"):
            try:
                document = json.loads(line)
            except ValueError:
                continue
            return document if isinstance(document, dict) else None
    return None


def submit(task_id: str, application: str, arguments: Sequence[Any], **kwargs: Any) -> SparkJob:
    """Create the task that submits ``spark_jobs/APPLICATION``: one at a time on this machine."""
    return SparkJob(
        task_id=task_id,
        application=application,
        application_args=list(arguments),
        conn_id=CONNECTION_ID,
        name="{{ dag.dag_id }}.{{ task.task_id }}",
        pool=SPARK_POOL,
        **kwargs,
    )
