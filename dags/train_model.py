"""Train the model that the stream uses, and promote it only if it is better.

### Purpose

Trains XGBoost on the labels known by now and compares it, fold by fold, with a random forest, an
isolation forest, a one-class SVM and an autoencoder, and calibrates it. The new model (challenger)
replaces the champion only if its final verdicts under the live policy are better than those that
were served, on days that neither was trained on.

### When

Daily at 05:00 UTC it checks whether a training is due: every 7 days, or once 200 more frauds are
known, or when the champion is of another label delay or features version than today's. At once
when `monitor_drift` requests it, but not within 3 days of the last champion. By hand.

### Reads

`raw_transaction_topic`, `core_transactions`, `core_verdicts`, `core_labels`, at the table versions
in the run record; the live policy. Purchases that only the extract has have no features: they count
in risk views and labels alone.

### Writes

`core_features` of its days; model and calibration in `models/`; a run and a version in MLflow's
registry; its alias `champion`; then the pointer that the detector follows from its next micro-batch
on. `core_job_outcomes`.

### If it fails

The active model stays active in every case, and the next run corrects the registry's alias. It is
not retried.

- Too few frauds are known, or all labels are of one class: a scheduled run reports this and
  succeeds, a run by hand fails with that sentence. More days and labels help.
- The artefact cannot be loaded, or the champion changed during the run: run it again.
- Memory or the metastore: `./fraudwatch doctor` names which.
- A model that turns out bad: `./fraudwatch model rollback`.

### Parameters

- `from`, `until`: first and last UTC day of the training set; empty: as far as the log and the
  folds reach.
- `approval`: yes waits for `./fraudwatch model approve`, no does not; empty: as TRAINING_APPROVAL
  in .env.

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
    catchup=False,  # it uses all days: a run for yesterday would be the same
    max_active_runs=1,  # concurrent promotions would race
    default_args=TASK_DEFAULTS,
    params={
        "from": a_day("From", "First day (UTC) to train on; empty: as far as the folds reach."),
        "until": a_day("Until", "Last day (UTC); empty: the last one that is over."),
        "approval": a_choice("Approval", "yes: a person approves the promotion.", ("yes", "no")),
    },
    on_failure_callback=mail_failure,
    tags=[Impact.TIER_3, Layer.CORE, Layer.MODELS],
    doc_md=__doc__,
)
def train_model() -> None:
    """Run one job, which computes the features itself, and only if a training is due."""
    submit(
        "train_model",
        "train/train_model.py",
        [
            "--reason",
            REASON,
            "{{ '--from=' ~ params['from'] if params['from'] else '' }}",
            "{{ '--until=' ~ params.until if params.until else '' }}",
            "{{ '--approval=' ~ params.approval if params.approval else '' }}",
            "{{ '' if dag_run.run_type == 'manual' else '--if-possible' }}",
        ],
        retries=NO_RETRY,
        # Before a backlog of days, because the stream uses it; after the archive it trains on.
        priority_weight=5,
    )


train_model()
