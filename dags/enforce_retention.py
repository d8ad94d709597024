"""Delete data whose retention has expired.

### Purpose

Deletes days that are older than their table's retention, layer by layer. A day of an earlier year
whose purchases were scored within the retention, as by a replay, is kept.

### When

Daily at 03:30 UTC, after the day's ingest, or by hand. The next run includes a missed day.

### Reads

`contracts/retention.yaml`, the tables of every layer.

### Writes

Deletes whole days from the `raw_`, `core_` and `out_` tables and from HDFS
`/fraudwatch/raw/extract`; `core_job_outcomes` counts the rows.

### If it fails

Data stays longer than permitted: run it again within the day. No table is half deleted; a table
that was finished stays finished.

### Parameters

- `today`: the UTC day to count back from, as in 2026-11-20; empty: the day of the run.

### Owner

fraudwatch
"""

from airflow.sdk import CronTriggerTimetable, dag

from fraudwatch.orchestration.defaults import START_DATE, TASK_DEFAULTS, a_day
from fraudwatch.orchestration.failure_mail import mail_failure
from fraudwatch.orchestration.spark_job import submit
from fraudwatch.orchestration.tags import Impact, Layer


@dag(
    schedule=CronTriggerTimetable("30 3 * * *", timezone="UTC"),
    start_date=START_DATE,
    catchup=False,  # counted back from today: an older run would delete nothing more
    max_active_runs=1,  # two at once would delete the same days
    default_args=TASK_DEFAULTS,
    params={"today": a_day("Today", "The day (UTC) to count back from; empty: the run's day.")},
    on_failure_callback=mail_failure,
    tags=[Impact.TIER_2, Layer.RAW, Layer.CORE, Layer.OUT],
    doc_md=__doc__,
)
def enforce_retention() -> None:
    """Run one job over all layers."""
    submit(
        "enforce_retention",
        "retention/enforce_retention.py",
        ["--today", "{{ params.today or dag_run.run_after.strftime('%Y-%m-%d') }}"],
    )


enforce_retention()
