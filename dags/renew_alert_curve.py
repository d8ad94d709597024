"""Renew the alert curve of the active model, from which a budget of alerts gets its score.

### Purpose

Counts alerts a day by score, on the last seven days that the active model scored, so that the
policy's budget holds as the shop grows and its customers change. No labels and no training: model,
calibrator and the curve for declines stay as they are. The curve for novelty is renewed too.

### When

Daily at 04:15 UTC, before the hours with most purchases; by hand for any day.

### Reads

`core_verdicts` of seven days; the active calibration and the pointer in `models/`.

### Writes

A calibration in `models/`, then the pointer that the detector follows from its next micro-batch on,
only while the same model is active; `core_job_outcomes`.

### If it fails

The active calibration stays, so alerts may slowly leave the budget: clear the task once its cause
is fixed (HDFS, the metastore or memory; `./fraudwatch doctor` names which). An artefact that cannot
be read needs a training or `./fraudwatch model rollback`. Fewer than three whole days by the active
model, and a model that was promoted meanwhile, are no failures: its last line says so.

### Parameters

- `date`: the last UTC day to count, as in 2026-11-20; empty: the day before the run's.

### Owner

fraudwatch
"""

from airflow.sdk import CronTriggerTimetable, dag

from fraudwatch.orchestration.defaults import DAY_BEFORE, START_DATE, TASK_DEFAULTS, a_day
from fraudwatch.orchestration.failure_mail import mail_failure
from fraudwatch.orchestration.spark_job import submit
from fraudwatch.orchestration.tags import Impact, Layer


@dag(
    schedule=CronTriggerTimetable("15 4 * * *", timezone="UTC"),
    start_date=START_DATE,
    catchup=False,  # only the newest curve is of use
    max_active_runs=1,  # the older of two must not end last
    default_args=TASK_DEFAULTS,
    params={"date": a_day("Date", "The last day (UTC) to count; empty: yesterday.")},
    on_failure_callback=mail_failure,
    tags=[Impact.TIER_3, Layer.MODELS],
    doc_md=__doc__,
)
def renew_alert_curve() -> None:
    """Run one job, which moves the pointer only while the same model is active."""
    submit(
        "renew_alert_curve",
        "calibrate/renew_alert_curve.py",
        ["--date", DAY_BEFORE, "--json"],
    )


renew_alert_curve()
