"""Train the model that the stream uses, and let it in only if it is better.

### Purpose

Learns from what is known by now which purchases are fraud: XGBoost, measured fold by fold beside a
random forest, an isolation forest, a one-class SVM and an autoencoder. Its model replaces the one
in use only if it is better than what was served on days that neither was trained on.

### When

Daily at 05:00 UTC it looks whether a training is due: every 7 days, or once 200 more frauds are
known. At once when `monitor_drift` asks, but not within 3 days of the last champion. By hand.

### Reads

`raw_transaction_topic`, `core_transactions`, `core_verdicts`, `core_labels`, at the versions that
the record names. Purchases that only the extract knows have no features: they count in risk views
and labels alone.

### Writes

`core_features` of its days; the artefact in `models/`; a run and a version in MLflow's registry;
its alias `champion`; then the pointer that the detector follows from its next batch on.
`core_job_outcomes`.

### If it fails

What was in use stays in use, whatever failed, and the next run puts names right. It is not tried
again by itself.

- Too few frauds are known, or all labels say the same: a run by the clock says so and ends well, a
  run by hand fails with that sentence. More days and labels help.
- The artefact cannot be used, or somebody changed the champion meanwhile: run it again.
- Memory or the metastore: `./fraudwatch doctor` says which.
- A model that turns out bad: `./fraudwatch model rollback`.

### Parameters

- `from`, `until`: first and last UTC day to draw on; empty: as far as the log and the folds reach.
- `approval`: yes leaves the last word to `./fraudwatch model approve`, no does not; empty: as
  TRAINING_APPROVAL in .env says.

### Owner

fraudwatch
"""

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag

from fraudwatch.orchestration.assets import MODEL_WANTED
from fraudwatch.orchestration.defaults import (
    NO_RETRY,
    START_DATE,
    TASK_DEFAULTS,
    a_choice,
    a_day,
)
from fraudwatch.orchestration.failure_mail import mail_failure
from fraudwatch.orchestration.spark_job import submit
from fraudwatch.orchestration.tags import Impact, Layer

REASON = (
    "{{ {'asset_triggered': 'drift', 'scheduled': 'schedule'}.get(dag_run.run_type, 'person') }}"
)


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 5 * * *", timezone="UTC"), assets=MODEL_WANTED
    ),
    start_date=START_DATE,
    catchup=False,  # it draws on all days: a run of yesterday would find the same
    max_active_runs=1,  # two champions at once is none
    default_args=TASK_DEFAULTS,
    params={
        "from": a_day("From", "First day (UTC) to draw on; empty: as far as the folds reach."),
        "until": a_day("Until", "Last day (UTC); empty: the last one that is over."),
        "approval": a_choice("Approval", "yes: a person has the last word.", ("yes", "no")),
    },
    on_failure_callback=mail_failure,
    tags=[Impact.TIER_3, Layer.CORE, Layer.MODELS],
    doc_md=__doc__,
)
def train_model() -> None:
    """One job: it folds the features itself, and only if a training is due."""
    submit(
        "train_model",
        "train_model.py",
        [
            "--reason",
            REASON,
            "{{ '--from=' ~ params['from'] if params['from'] else '' }}",
            "{{ '--until=' ~ params.until if params.until else '' }}",
            "{{ '--approval=' ~ params.approval if params.approval else '' }}",
            "{{ '' if dag_run.run_type == 'manual' else '--if-possible' }}",
        ],
        retries=NO_RETRY,
        # The stream waits for it: before a backlog of days, after the archive that it learns from.
        priority_weight=5,
    )


train_model()
