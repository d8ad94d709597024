"""Record job outcomes in ``core_job_outcomes``: one row a run and job."""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fraudwatch.adapters.lake.commit import commit
from fraudwatch.domain.lake.counted_rows import CountedRows
from fraudwatch.domain.lake.job_outcome import JobOutcome
from fraudwatch.lake import CORE_JOB_OUTCOMES, DATABASE
from fraudwatch.observability.job_metrics import send_rows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Packages with code of batch jobs; an environment need not have all of them.
_CODE: Final = ("fraudwatch", "batch", "spark_jobs")
_HASH_LENGTH: Final = 12
_DAY: Final = "ended_on"
_NO_PART: Final = "-1"  # Airflow's map index of a task that is not mapped
_AIRFLOW_RUN: Final = ("AIRFLOW_CTX_DAG_ID", "AIRFLOW_CTX_DAG_RUN_ID", "AIRFLOW_CTX_TASK_ID")


def append_outcomes(spark: SparkSession, outcomes: Sequence[JobOutcome]) -> None:
    """Record outcomes, and send their rows as metrics; the same run and job replaces its row.

    Raises:
        LakeBusy: concurrent writers of the table kept winning.
    """
    from pyspark.sql import functions as F  # noqa: N812  its customary name
    from pyspark.sql.types import StructType

    if not outcomes:
        return
    table = f"{DATABASE}.{CORE_JOB_OUTCOMES}"
    columns = [field for field in spark.table(table).schema if field.name != _DAY]
    rows = spark.createDataFrame(
        [tuple(asdict(one)[column.name] for column in columns) for one in outcomes],
        schema=StructType(columns),
    ).withColumn(_DAY, F.to_date(F.timestamp_millis("ended_at_ms")))
    rows.createOrReplaceTempView("outcomes_to_append")
    commit(
        lambda: spark.sql(
            f"MERGE INTO {table} AS there USING outcomes_to_append AS here "
            "ON there.run_id = here.run_id AND there.job = here.job "
            "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
        ),
        table,
    )
    send_rows(_rows_by_job(outcomes))


def _rows_by_job(outcomes: Sequence[JobOutcome]) -> Counter[str]:
    """Sum the written rows of each job over its parts, as in ``refine_topics:raw_fraud_topic``."""
    rows = Counter[str]()
    for one in outcomes:
        rows[one.job.partition(":")[0]] += one.rows_out
    return rows


def outcome_of(job: str, counted: CountedRows, *, began_at_ms: int) -> JobOutcome:
    """Build the outcome of a run that ends now; without rows its interval is its start time."""
    return JobOutcome(
        run_id=run_id(),
        job=job,
        from_ms=began_at_ms if counted.from_ms is None else counted.from_ms,
        until_ms=began_at_ms if counted.until_ms is None else counted.until_ms,
        rows_in=counted.rows_in,
        rows_out=counted.rows_out,
        rows_rejected=sum(counted.rejected.values()),
        reasons=json.dumps(dict(counted.rejected), sort_keys=True),
        began_at_ms=began_at_ms,
        ended_at_ms=time.time_ns() // 1_000_000,
        code_version=code_version(),
    )


def run_id(environment: Mapping[str, str] = os.environ) -> str:
    """Return the run id: Airflow's run, task and attempt if Airflow started it, else a new UUID.

    It includes the attempt: a second attempt must not overwrite the outcome of the first. It also
    includes the map index of a mapped task: nothing else distinguishes the days of one run.
    """
    names = [environment.get(name, "") for name in _AIRFLOW_RUN]
    if not all(names):
        return str(uuid.uuid4())
    part = environment.get("AIRFLOW_CTX_MAP_INDEX", _NO_PART)
    if part != _NO_PART:
        names.append(part)
    return "/".join([*names, environment.get("AIRFLOW_CTX_TRY_NUMBER", "1")])


@cache
def code_version() -> str:
    """Return the package's version and a hash of the running sources, with uncommitted changes.

    A commit id would not show such changes; hashing costs a few milliseconds.
    """
    digest = hashlib.sha256()
    for name, path in _sources():
        digest.update(name.encode())
        digest.update(path.read_bytes())
    return f"{version('fraudwatch')}+{digest.hexdigest()[:_HASH_LENGTH]}"


def _sources() -> Iterator[tuple[str, Path]]:
    for package in _CODE:
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            for path in sorted(Path(folder).rglob("*.py")):
                yield f"{package}/{path.relative_to(folder)}", path
