"""Monitor drift of features, scores and performance, and request a training if needed.

### Purpose

Measures the drift of every served feature and of the scores (population stability index), the
alert rate, and precision and recall as labels arrive. A measure past its bound is named and starts
`train_model`.

### When

Daily at 04:30 UTC for the day before; by hand for any day.

### Reads

`raw_feature_topic`, `core_verdicts`, `core_transactions`, `core_labels`; the champion's artefact,
for the days that it was trained on.

### Writes

`core_drift` (the day's rows are replaced), `core_job_outcomes`. Updates the asset `model_wanted`
with the day and the measures, only where one is past its bound.

### If it fails

No other job depends on it: clear the task once its cause is fixed (HDFS, the metastore or memory;
`./fraudwatch doctor` names which). Drift itself never fails it: then `ask_for_model` is green, and
skipped where no measure is past its bound. `too_few_rows` in `core_drift` marks measures without
enough data.

### Parameters

- `date`: the UTC day of the purchases, as in 2026-11-20; empty: the day before the run's.

### Owner

fraudwatch
"""

from airflow.sdk import CronTriggerTimetable, dag

from fraudwatch.orchestration.defaults import DAY_BEFORE, START_DATE, TASK_DEFAULTS, a_day
from fraudwatch.orchestration.failure_mail import mail_failure
from fraudwatch.orchestration.light_tasks import ask_for_model
from fraudwatch.orchestration.spark_job import submit
from fraudwatch.orchestration.tags import Impact, Layer


@dag(
    schedule=CronTriggerTimetable("30 4 * * *", timezone="UTC"),
    start_date=START_DATE,
    catchup=False,  # past drift must not start a training now
    max_active_runs=1,  # two at once would replace the same day
    default_args=TASK_DEFAULTS,
    params={"date": a_day("Date", "The day (UTC) of the purchases; empty: yesterday.")},
    on_failure_callback=mail_failure,
    tags=[Impact.TIER_3, Layer.CORE],
    doc_md=__doc__,
)
def monitor_drift() -> None:
    """Measure drift, then request a training if needed."""
    measure = submit("monitor_drift", "drift/monitor_drift.py", ["--date", DAY_BEFORE, "--json"])
    ask_for_model(measure.output)  # type: ignore[arg-type]  # XCom resolves it


monitor_drift()
