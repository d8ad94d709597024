"""Reconcile stream and batch: recompute a day of the log and compare it with the verdicts.

### Purpose

Recomputes a closed day of the log, from the batch half's own customer state at the end of the day
before: features by the same fold, score and outcome by the production code. Compares it with the
verdicts and vectors of the archive and with Cassandra: missing, extra, duplicate, different in
features, score, outcome or amount. A difference fails the run.

### When

Daily at 03:30 UTC for the day before, when its last hours are archived; by hand for any day. Run a
missed day by hand; the days after it do not need it.

### Reads

`raw_transaction_topic`, `raw_fraud_topic`, `raw_feature_topic`, `core_transactions`,
`core_verdicts`, `core_customer_states`; Cassandra's `verdict_by_transaction` as the role
`reconciler`; the policies, models and risk views that verdicts name.

### Writes

`core_reconciliation` (the day's rows are replaced), `core_customer_states` (the end of the day;
the last 8 are kept), `core_job_outcomes`; the same state as files in `var/states`, from which a
detector without a usable snapshot starts.

### If it fails

The mail's last line counts the differences by class and shows one of them. `core_reconciliation`
holds up to ten examples of each; `./fraudwatch reconcile --date D --json` shows them again. It is
not retried: the same data would give the same result.

- `different_features`, `different_score`, `different_outcome`, `different_amount`: stream and batch
  disagree, or the archive was changed. Compare the verdict of one example in both.
- `missing_in_store`: the persister is behind (`./fraudwatch status`) or has dead-lettered rows.
  `missing_in_archive`: the detector is behind, or a table was changed.
- The day is not completely in the lake: run `archive_topics` first, then this again.

### Parameters

- `date`: the UTC day, as in 2026-11-20; empty: the day before the run's.

### Owner

fraudwatch
"""

from airflow.sdk import CronTriggerTimetable, dag

from fraudwatch.orchestration.defaults import (
    DAY_BEFORE,
    NO_RETRY,
    START_DATE,
    TASK_DEFAULTS,
    a_day,
)
from fraudwatch.orchestration.failure_mail import mail_failure
from fraudwatch.orchestration.spark_job import submit
from fraudwatch.orchestration.tags import Impact, Layer


@dag(
    schedule=CronTriggerTimetable("30 3 * * *", timezone="UTC"),
    start_date=START_DATE,
    catchup=False,  # days are independent; run a missed one by hand
    max_active_runs=1,  # two at once would replace the same day
    default_args=TASK_DEFAULTS,
    params={"date": a_day("Date", "The day (UTC) to recompute; empty: yesterday.")},
    on_failure_callback=mail_failure,
    tags=[Impact.TIER_2, Layer.CORE],
    doc_md=__doc__,
)
def reconcile_views() -> None:
    """Run one job, which fails where stream and batch disagree."""
    submit("check_views", "reconcile/reconcile_views.py", ["--date", DAY_BEFORE], retries=NO_RETRY)


reconcile_views()
