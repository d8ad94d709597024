"""Run a job of ``batch/`` as a process of the lake's environment."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import BaseOperator, Context

from fraudwatch.orchestration.job_process import JobProcess
from fraudwatch.orchestration.settings import JobSettings


def without_airflow(environment: Mapping[str, str]) -> dict[str, str]:
    """Remove Airflow's own keys and passwords from the environment of a job."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(("AIRFLOW", "_AIRFLOW"))
    }


class BatchModule(BaseOperator):
    """Runs ``python -m MODULE ARGUMENTS``; arguments that render to nothing are left out."""

    template_fields: Sequence[str] = ("arguments",)

    def __init__(self, *, module: str, arguments: Sequence[Any] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.module = module
        self.arguments = list(arguments)
        self._job: JobProcess | None = None

    def execute(self, context: Context) -> None:  # noqa: ARG002  Airflow's signature
        """Run the job with its output in the task's log.

        Raises:
            JobFailed: its exit code was not 0.
        """
        settings = JobSettings()
        arguments = [str(argument) for argument in self.arguments if argument]
        self.log.info("runs %s", shlex.join([self.module, *arguments]))
        self._job = JobProcess(
            [str(settings.fraudwatch_lake_python), "-m", self.module, *arguments],
            name=self.module.rpartition(".")[2],
            environment=without_airflow(os.environ) | {"PYTHONUNBUFFERED": "1"},
            log=self.log,
        )
        self._job.run(settings.fraudwatch_root)

    def on_kill(self) -> None:
        """End the job and all processes that it started."""
        if self._job is not None:
            self._job.end()


def run_module(task_id: str, module: str, arguments: Sequence[Any], **kwargs: Any) -> BatchModule:
    """Create the task that runs a job of ``batch/``."""
    return BatchModule(task_id=task_id, module=module, arguments=arguments, **kwargs)
