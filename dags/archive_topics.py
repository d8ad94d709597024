"""Archive the Kafka topics to the lake, refine them, build and publish the risk views.

### Purpose

Keeps every message of the log in the `raw_` tables and computes from it the `core_` tables and the
hourly risk views. The archived log is the master data: everything else in the lake can be
recomputed from it.

### When

Hourly at :05 UTC, or by hand. A run processes all messages since the last one, so a missed hour is
included in the next run and no catch-up is needed.

### Reads

`transaction_topic`, `fraud_topic`, `feature_topic`, `labels_topic`, `audit_topic`,
`dead_letter_topic`, as the user `archiver`.

### Writes

The `raw_` tables (each offset once, without gaps), from them `core_transactions`, `core_verdicts`,
`core_labels`, `core_refunds`, `core_risk_views`, then the risk views that the detector reloads with
its next micro-batch; `core_job_outcomes`.

### If it fails

The next run begins at the end of the last successful one, so a single failure needs no action. It
must run before the topics' retention ends (35 days for purchases): after that, offsets are lost.

- `archive_topics`: Kafka or HDFS does not answer (`./fraudwatch status`), or offsets are missing:
  its last line names topic, partition and offsets.
- `refine_topics`: a message that breaks its contract is rejected and counted; it never fails the
  task. Check the metastore and memory.
- `build_risk_views`: the detector continues with the views it has; they only grow older.

### Parameters

- `until`: the UTC hour up to which the risk views use labels, as in 2026-11-20T13; empty: all known
  labels.

### Owner

fraudwatch
"""

from airflow.sdk import CronTriggerTimetable, dag

from fraudwatch.orchestration.defaults import START_DATE, TASK_DEFAULTS, an_hour
from fraudwatch.orchestration.failure_mail import mail_failure
from fraudwatch.orchestration.spark_job import submit
from fraudwatch.orchestration.tags import Impact, Layer

# Priority in the one Spark slot: other jobs and the stream depend on these tasks.
FIRST = {"priority_weight": 10}


@dag(
    schedule=CronTriggerTimetable("5 * * * *", timezone="UTC"),
    start_date=START_DATE,
    catchup=False,  # a run processes all new messages: a missed hour is in the next
    max_active_runs=1,  # they share one checkpoint
    default_args=TASK_DEFAULTS,
    params={"until": an_hour("Until", "The hour (UTC) the risk views stop at; empty: now.")},
    on_failure_callback=mail_failure,
    tags=[Impact.TIER_1, Layer.RAW, Layer.CORE, Layer.VIEWS],
    doc_md=__doc__,
)
def archive_topics() -> None:
    """Archive, refine, build the risk views."""
    archive = submit("archive_topics", "archive/archive_topics.py", [], **FIRST)
    refine = submit("refine_topics", "refine/refine_topics.py", [], **FIRST)
    views = submit(
        "build_risk_views",
        "views/build_risk_views.py",
        ["{{ '--until=' ~ params.until if params.until else '' }}"],
        **FIRST,
    )
    archive >> refine >> views


archive_topics()
