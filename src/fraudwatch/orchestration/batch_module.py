"""Runs a job of ``batch/`` as a process of the lake's environment."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from typing import IO, Any

from airflow.sdk import BaseOperator, Context

from fraudwatch.orchestration.processes import end_group, tied_to_task
from fraudwatch.orchestration.settings import JobSettings


class JobFailed(RuntimeError):
    """A job ended otherwise than well; the message is its own last line."""


def without_airflow(environment: Mapping[str, str]) -> dict[str, str]:
    """What a job sees: Airflow's own keys and passwords are none of its business."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(("AIRFLOW", "_AIRFLOW"))
    }


class BatchModule(BaseOperator):
    """``python -m MODULE ARGUMENTS``; an argument that renders to nothing is left out."""

    template_fields: Sequence[str] = ("arguments",)

    def __init__(self, *, module: str, arguments: Sequence[Any] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.module = module
        self.arguments = list(arguments)
        self._process: subprocess.Popen[str] | None = None

    def execute(self, context: Context) -> None:  # noqa: ARG002  Airflow's signature
        """Run the job, tell its output, and fail with its last word.

        Raises:
            JobFailed: it ended with anything but 0.
        """
        settings = JobSettings()
        arguments = [str(argument) for argument in self.arguments if argument]
        command = [str(settings.fraudwatch_lake_python), "-m", self.module, *arguments]
        self.log.info("runs %s", shlex.join(command))
        self._process = subprocess.Popen(
            command,
            cwd=settings.fraudwatch_root,
            env=without_airflow(os.environ) | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # one pipe, unbuffered: lines stay in their order
            text=True,
            errors="backslashreplace",
            **tied_to_task(),
        )
        last_line = self._tell(self._process.stdout)
        if code := self._process.wait():
            raise JobFailed(last_line or f"{self.module} ended with {code} and said nothing")

    def _tell(self, lines: IO[str] | None) -> str:
        last_line = ""
        for line in lines or ():
            if told := line.rstrip():
                last_line = told
                self.log.info("%s", told)
        return last_line

    def on_kill(self) -> None:
        """End the job and all that it started."""
        if self._process is not None:
            end_group(self._process)


def run_module(task_id: str, module: str, arguments: Sequence[Any], **kwargs: Any) -> BatchModule:
    """The task that runs a job of ``batch/``."""
    return BatchModule(task_id=task_id, module=module, arguments=arguments, **kwargs)
