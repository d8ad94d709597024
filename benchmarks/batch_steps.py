"""Batch jobs with the commands and the environment of Airflow's tasks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from fraudwatch.adapters.lake.session import log_options
from fraudwatch.stack.home import ROOT
from fraudwatch.stack.private_stack import PrivateStack

# The service whose environment the tasks inherit.
_SCHEDULER: Final = "airflow_scheduler"


def environment_of_tasks(stack: PrivateStack) -> dict[str, str]:
    """Return all environment variables of a task on this stack."""
    environment = {**os.environ, **stack.launches[_SCHEDULER].environment}
    python = environment["FRAUDWATCH_LAKE_PYTHON"]
    return {**environment, "PYSPARK_PYTHON": python, "PYSPARK_DRIVER_PYTHON": python}


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the batch layer."""

    name: str
    job: str  # a module of batch/, or a script of spark_jobs/
    arguments: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """Name of the job in the job outcomes."""
        return self.job.removesuffix(".py").replace("/", ".").rpartition(".")[2]

    def argv(self, environment: Mapping[str, str]) -> list[str]:
        """Return the command line, with the interpreter and the jars of the tasks' environment."""
        python = environment["FRAUDWATCH_LAKE_PYTHON"]
        if not self.job.endswith(".py"):
            return [python, "-m", self.job, *self.arguments, "--json"]
        return [
            f"{python.removesuffix('/python')}/spark-submit",
            *("--jars", environment["LAKE_JARS"]),
            *("--driver-memory", environment.get("LAKE_DRIVER_MEMORY", "1g")),
            *("--conf", f"spark.driver.extraJavaOptions={log_options(ROOT)}"),
            *(f"spark_jobs/{self.job}", *self.arguments, "--json"),
        ]


ARCHIVE = Step("archive", "archive/archive_topics.py")
FOLD = Step("fold", "benchmarks.fold_pace")


def steps_of(day: date) -> tuple[Step, ...]:
    """List the steps of a batch day in their order."""
    one_day = ("--day", day.isoformat())
    days = ("--from", day.isoformat(), "--until", day.isoformat())
    return (
        Step("extract", "batch.extract_day", one_day),
        Step("check", "batch.check_day", one_day),
        Step("refine day", "refine/refine_day.py", one_day),
        ARCHIVE,
        Step("refine topics", "refine/refine_topics.py"),
        Step("risk views", "views/build_risk_views.py"),
        Step("reports", "marts/build_reports.py", days),
        Step("features", "features/build_features.py", days),
    )
