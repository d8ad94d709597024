"""Approve or try a challenger, or roll back to an earlier champion.

### Purpose

Makes another registered model the champion: a challenger that passed the promotion gate and waits
for approval, or one that was champion before. Or starts or ends a canary: such a model scores a
share of the customers, and is rolled back by itself when it leaves its band.

### When

When a lead approves, tries or rolls back on the console's Model page, which writes the audit record
first. By hand with the form it leaves no audit record; prefer the page, or `./fraudwatch model`.

### Reads

MLflow's registry; model and calibration of the version.

### Writes

The registry's alias `champion`, then the pointer in `models/` that the detector follows from its
next micro-batch on; `models/registry.json`, which the console shows.

### If it fails

The active model stays active. The last line says why: the version does not wait for approval any
more, was never champion, or its artefact cannot be used. It is not retried.

### Parameters

- `action`: approve, rollback, canary or end-canary; without one the run fails and nothing is
  changed.
- `version`: number of the version; empty with rollback: the previous champion.
- `share_percent`: with canary: the share of the customers.

### Owner

fraudwatch
"""

from airflow.sdk import dag

from fraudwatch.orchestration.batch_module import run_module
from fraudwatch.orchestration.defaults import (
    NO_RETRY,
    START_DATE,
    TASK_DEFAULTS,
    a_choice,
    a_version,
)
from fraudwatch.orchestration.failure_mail import mail_failure
from fraudwatch.orchestration.tags import Impact, Layer

ACTIONS = ("approve", "rollback", "canary", "end-canary")
SHARES = ("1", "5", "10", "25", "50")


@dag(
    schedule=None,
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,  # concurrent promotions would race
    default_args=TASK_DEFAULTS,
    params={
        "action": a_choice("Action", "Which change of the champion or canary.", ACTIONS),
        "version": a_version("Version", "Number of the version, as ./fraudwatch model ls shows."),
        "share_percent": a_choice("Share", "Percent of the customers of a canary.", SHARES),
    },
    on_failure_callback=mail_failure,
    tags=[Impact.TIER_3, Layer.MODELS],
    doc_md=__doc__,
)
def change_champion() -> None:
    """Run the command that ./fraudwatch model runs."""
    run_module(
        "change_champion",
        "batch.models",
        [
            "{{ params.action or '' }}",
            "{{ params.version if params.version and params.action != 'end-canary' else '' }}",
            "{{ params.share_percent or '5' if params.action == 'canary' else '' }}",
        ],
        retries=NO_RETRY,
        # Before a backlog of days, because the stream uses it.
        priority_weight=10,
    )


change_champion()
