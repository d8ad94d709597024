"""Archive the topics, refine them, build the risk views.

### Purpose

Keeps the log for ever and makes of it what only history knows. The archived log is the master data:
everything else in the lake can be computed from it again.

### When

Hourly at :05 UTC, or by hand. A run takes whatever came since the last one, so a missed hour is
made up by the next, and nothing is caught up with.

### Reads

`transaction_topic`, `fraud_topic`, `feature_topic`, `labels_topic`, as the user `archiver`.

### Writes

The `raw_` tables (exactly the offsets, without gaps), from them `core_transactions`,
`core_verdicts`, `core_labels`, `core_risk_views`, then the risk views that the detector takes up
with its next batch; `core_job_outcomes`.

### If it fails

The next run begins where the last good one ended, so one failure alone needs nothing. Before the
topics' retention ends (35 days for purchases) it has to have run: after that, offsets are gone.

- `archive_topics`: Kafka or HDFS does not answer (`./fraudwatch status`), or offsets are missing:
  its last line names topic, partition and offsets.
- `refine_topics`: a message that breaks its contract is put aside and counted, never the cause.
  Look at the metastore and at memory.
- `build_risk_views`: the detector goes on with the views that it has; they only grow older.

### Parameters

- `until`: the UTC hour up to which the risk views know labels, as in 2026-11-20T13; empty: all that
  is known.

### Owner

fraudwatch
"""

from airflow.sdk import CronTriggerTimetable, dag

from fraudwatch.orchestration.defaults import START_DATE, TASK_DEFAULTS, an_hour
from fraudwatch.orchestration.failure_mail import mail_failure
from fraudwatch.orchestration.spark_job import submit
from fraudwatch.orchestration.tags import Impact, Layer

# The one Spark slot goes to what other jobs and the stream wait for.
FIRST = {"priority_weight": 10}


@dag(
    schedule=CronTriggerTimetable("5 * * * *", timezone="UTC"),
    start_date=START_DATE,
    catchup=False,  # a run takes all that is there: an hour missed is in the next
    max_active_runs=1,  # they share one checkpoint
    default_args=TASK_DEFAULTS,
    params={"until": an_hour("Until", "The hour (UTC) the risk views stop at; empty: now.")},
    on_failure_callback=mail_failure,
    tags=[Impact.TIER_1, Layer.RAW, Layer.CORE, Layer.VIEWS],
    doc_md=__doc__,
)
def archive_topics() -> None:
    """Archive, refine, build the views."""
    archive = submit("archive_topics", "archive_topics.py", [], **FIRST)
    refine = submit("refine_topics", "refine_topics.py", [], **FIRST)
    views = submit(
        "build_risk_views",
        "build_risk_views.py",
        ["{{ '--until=' ~ params.until if params.until else '' }}"],
        **FIRST,
    )
    archive >> refine >> views


archive_topics()
