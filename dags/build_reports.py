"""Build the report marts (`out_` tables) of newly ingested days.

### Purpose

Computes the marts of newly ingested days: fraud by day, country, merchant, category and hour; rule
performance; analyst workload; money saved, missed and blocked; pipeline health.

### When

As soon as `ingest_transactions` announces that days are in `core_transactions`; by hand for any
days.

### Reads

`core_transactions`, `core_verdicts`, `core_labels`, `core_job_outcomes`.

### Writes

The `out_` tables, whole days at once; `core_job_outcomes`. They are read through the Spark Thrift
Server.

### If it fails

Readers see the previous figures, complete. Clear the failed task once its cause is fixed (see its
last lines); a run by hand over the same days does the same and is idempotent.

### Parameters

- `day`: one closed UTC day.
- `from`, `until`: several days, at most 31 at once. All empty: the announced days, or yesterday for
  a run by hand.

### Owner

fraudwatch
"""

from airflow.sdk import dag, task_group

from fraudwatch.orchestration.assets import CORE_TRANSACTIONS
from fraudwatch.orchestration.defaults import START_DATE, TASK_DEFAULTS, day_or_range
from fraudwatch.orchestration.failure_mail import mail_failure
from fraudwatch.orchestration.light_tasks import ranges
from fraudwatch.orchestration.spark_job import submit
from fraudwatch.orchestration.tags import Impact, Layer


@dag(
    schedule=[CORE_TRANSACTIONS],
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,  # two at once would replace the same days
    default_args=TASK_DEFAULTS,
    params=day_or_range(),
    on_failure_callback=mail_failure,
    tags=[Impact.TIER_2, Layer.OUT],
    doc_md=__doc__,
)
def build_reports() -> None:
    """Run one job for each range of consecutive days."""

    @task_group
    def one_stretch(first: str, last: str) -> None:
        """Build the reports of consecutive days."""
        submit("build_reports", "marts/build_reports.py", ["--from", first, "--until", last])

    one_stretch.expand_kwargs(ranges())


build_reports()
