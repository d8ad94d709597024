"""Bring the shop's closed days into the lake.

### Purpose

Brings whole days of the shop's books into the lake, so that what the live feed lost is there too.
Each day on its own: extract, check, refine. A day that is done twice is the same as a day done
once.

### When

Daily at 02:00 UTC for the day that has closed, with the two days before it merged again for what
came late; at once when `control_topic` says that a day is closed; by hand or by a backfill for any
closed day. Days that Airflow itself slept through, beyond those two, are a backfill.

### Reads

The shop's `GET /v1/extract/{day}`; the manifests of the days before, to know what is usual.

### Writes

HDFS `/fraudwatch/raw/extract/day=...` (the manifest last), `core_transactions` (only ids that are
not there yet), `core_rejected_purchases`, `core_job_outcomes`. Tells the asset `core_transactions`
which days are done.

### If it fails

No table holds half a day: clear the failed task once its cause is gone.

- `extract_day`: the shop is down or slow, or its totals, pages or checksum do not agree. Ask the
  shop; what is whole is not fetched again.
- `check_day`: the day breaks the contract, is stale, or is far from its usual volume. It is not
  tried again by itself. Look at `rejected.jsonl` of the day, mend the source, run `extract_day`
  again.
- `refine_day`: HDFS, the metastore or memory; `./fraudwatch doctor` says which.

### Parameters

- `day`: one closed UTC day.
- `from`, `until`: several days, at most 31 at once. All empty: the day that closed last.

### Owner

fraudwatch
"""

from airflow.sdk import AssetOrTimeSchedule, CronDataIntervalTimetable, dag, task_group

from fraudwatch.orchestration.assets import DAY_CLOSED
from fraudwatch.orchestration.batch_module import run_module
from fraudwatch.orchestration.defaults import NO_RETRY, START_DATE, TASK_DEFAULTS, day_or_range
from fraudwatch.orchestration.failure_mail import mail_failure
from fraudwatch.orchestration.light_tasks import announce, days
from fraudwatch.orchestration.spark_job import submit
from fraudwatch.orchestration.tags import Impact, Layer


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronDataIntervalTimetable("0 2 * * *", timezone="UTC"), assets=DAY_CLOSED
    ),
    start_date=START_DATE,
    catchup=False,  # a week's sleep is a backfill somebody decides on, not a storm of runs
    max_active_runs=1,  # two at once would extract the same day into the same folder
    default_args=TASK_DEFAULTS,
    params=day_or_range(),
    on_failure_callback=mail_failure,
    tags=[Impact.TIER_2, Layer.RAW, Layer.CORE],
    doc_md=__doc__,
)
def ingest_transactions() -> None:
    """Extract, check and refine each day; then tell of all of them at once."""

    @task_group
    def one_day(day: str) -> None:
        """A day's own chain: a bad day holds up no good one."""
        extract = run_module("extract_day", "batch.extract_day", ["--day", day])
        check = run_module("check_day", "batch.check_day", ["--day", day], retries=NO_RETRY)
        refine = submit("refine_day", "refine_day.py", ["--day", day])
        extract >> check >> refine

    found = days()
    one_day.expand(day=found) >> announce(found)  # type: ignore[arg-type]  # it is handed the value


ingest_transactions()
