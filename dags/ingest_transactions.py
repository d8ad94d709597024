"""Extract the shop's closed days, check them and refine them into the lake.

### Purpose

Extracts whole days from the shop, so that purchases that the live feed lost are in the lake too.
Each day is extracted, checked and refined on its own. Processing a day twice is idempotent.

### When

Daily at 02:00 UTC for the day that has closed, with the two days before it merged again for late
purchases; at once when `control_topic` announces a closed day; by hand or by a backfill for any
closed day. If Airflow was down for longer than those two days, backfill the missing ones.

### Reads

The shop's `GET /v1/extract/{day}`; the manifests of the days before, for the usual volume.

### Writes

HDFS `/fraudwatch/raw/extract/day=...` (the manifest last), `core_transactions` (only ids that are
not there yet), `core_rejected_purchases`, `core_job_outcomes`. Updates the asset
`core_transactions` with the finished days.

### If it fails

No table holds part of a day: clear the failed task once its cause is fixed.

- `extract_day`: the shop is down or slow, or its totals, pages or checksum do not agree. Contact
  the shop; complete pages are not fetched again.
- `check_day`: the day breaks the contract, is stale, or is far from its usual volume. It is not
  retried. Read `rejected.jsonl` of the day, fix the source, run `extract_day` again.
- `refine_day`: HDFS, the metastore or memory; `./fraudwatch doctor` names which.

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
    catchup=False,  # after a long outage an operator starts a backfill, not a storm of runs
    max_active_runs=1,  # two at once would extract the same day into the same folder
    default_args=TASK_DEFAULTS,
    params=day_or_range(),
    on_failure_callback=mail_failure,
    tags=[Impact.TIER_2, Layer.RAW, Layer.CORE],
    doc_md=__doc__,
)
def ingest_transactions() -> None:
    """Extract, check and refine each day; then announce all of them at once."""

    @task_group
    def one_day(day: str) -> None:
        """Run one day as a chain of its own, so that a bad day does not block others."""
        extract = run_module("extract_day", "batch.extract_day", ["--day", day])
        check = run_module("check_day", "batch.check_day", ["--day", day], retries=NO_RETRY)
        refine = submit("refine_day", "refine/refine_day.py", ["--day", day])
        extract >> check >> refine

    found = days()
    one_day.expand(day=found) >> announce(found)  # type: ignore[arg-type]  # XCom resolves it


ingest_transactions()
