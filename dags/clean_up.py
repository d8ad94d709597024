"""Delete Airflow's own old records: task logs, and rows of its metadata database.

### Purpose

Keeps the disk and Airflow's pages fast: logs and metadata of runs that ended long ago are deleted.

### When

Daily at 05:30 UTC, after the other daily DAGs, or by hand. The next run includes a missed day.

### Reads

The clock, and the age of each log file and row.

### Writes

Deletes files under Airflow's log folder (tasks, DAG processor), and rows of finished runs, tasks,
XComs, events and audit records in Airflow's database. The last scheduled run of each DAG stays.

### If it fails

Nothing depends on it and nothing is lost: clear the task. `database is locked` (SQLite) means that
the scheduler was writing for long, and the next try succeeds. `./fraudwatch doctor` shows the free
disk.

### Parameters

- `keep_days`: how many days of logs and metadata to keep, at least 2; empty: 30.

### Owner

fraudwatch
"""

from airflow.sdk import CronTriggerTimetable, dag

from fraudwatch.orchestration.clean_up import BEFORE, CleanMetadata, clean_logs
from fraudwatch.orchestration.defaults import START_DATE, TASK_DEFAULTS, a_number_of_days
from fraudwatch.orchestration.failure_mail import mail_failure
from fraudwatch.orchestration.tags import Impact


@dag(
    schedule=CronTriggerTimetable("30 5 * * *", timezone="UTC"),
    start_date=START_DATE,
    catchup=False,  # counted back from now: an older run would delete nothing more
    max_active_runs=1,  # two at once would delete the same rows
    default_args=TASK_DEFAULTS,
    params={"keep_days": a_number_of_days("Days to keep", "What is older goes; empty: 30.")},
    on_failure_callback=mail_failure,
    tags=[Impact.TIER_3],
    doc_md=__doc__,
)
def clean_up() -> None:
    """Delete old rows and old logs, independently of each other."""
    CleanMetadata(task_id="clean_metadata", before=BEFORE)
    clean_logs(BEFORE)


clean_up()
