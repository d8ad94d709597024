"""Backtest a policy: score past days with another policy.

### Purpose

Shows what a candidate policy would have done on past purchases before it scores new ones: alerts a
day, precision, recall, money, rule by rule, and which alerts it adds to those of the live policy or
removes from them.

### When

By hand only, with the form. No other DAG depends on it, and it changes no data.

### Reads

The policy; the calibrations that the verdicts name; `core_transactions`, `core_verdicts`,
`core_labels`, `raw_feature_topic` and, where a vector is missing, `core_features`.

### Writes

A page and its numbers in the home's folder `backtests`; the last line of `backtest_policy` names
the path. `core_job_outcomes`.

### If it fails

No other job is affected, and the lake is unchanged.

- `check_policy`: the policy does not exist or is invalid; its last line names the place and the
  reason.
- `backtest_policy`, "rules with a floor alone make ...": the detector would refuse this policy too;
  take the floor from a rule, or raise `review: alerts_a_day`.
- `backtest_policy`: HDFS, the metastore or memory: a purchase takes about seventy bytes of the
  driver, so choose fewer days at once.

### Parameters

- `policy`: the name of a document in contracts/policies, without its ending; empty: the default
  one.
- `yaml`: a whole policy document instead, pasted.
- `lists`: a whole document of lists, pasted; empty: those of the home.
- `from`, `until`: days (UTC) of purchases, both inclusive; one of them alone is that day, none is
  the day before the run.

### Owner

fraudwatch
"""

from airflow.sdk import dag

from fraudwatch.orchestration.batch_module import run_module
from fraudwatch.orchestration.defaults import (
    NO_RETRY,
    START_DATE,
    TASK_DEFAULTS,
    a_day,
    a_document,
    a_name,
)
from fraudwatch.orchestration.failure_mail import mail_failure
from fraudwatch.orchestration.spark_job import submit
from fraudwatch.orchestration.tags import Impact

YESTERDAY = "(dag_run.run_after - macros.timedelta(days=1)).strftime('%Y-%m-%d')"
ARGUMENTS = [
    "{{ '--policy-text=' ~ params.yaml if params.yaml else '' }}",
    "{{ '' if params.yaml else '--policy=' ~ (params.policy or 'default') }}",
    "{{ '--lists-text=' ~ params.lists if params.lists else '' }}",
    "--from={{ params['from'] or params.until or " + YESTERDAY + " }}",
    "--until={{ params.until or params['from'] or " + YESTERDAY + " }}",
]


@dag(
    schedule=None,
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,  # there is one Spark slot
    default_args=TASK_DEFAULTS,
    params={
        "policy": a_name("Policy", "A name of contracts/policies; empty: default."),
        "yaml": a_document("YAML", "A whole policy document, in place of the name."),
        "lists": a_document("Lists", "A whole document of lists; empty: the live ones."),
        "from": a_day("From", "First day (UTC) of purchases; empty: as Until."),
        "until": a_day("Until", "Last day, inclusive; empty: as From. Both empty: yesterday."),
    },
    on_failure_callback=mail_failure,
    tags=[Impact.TIER_3],
    doc_md=__doc__,
)
def backtest_policy() -> None:
    """Check the policy, which is quick, and then run the backtest."""
    check = run_module(
        "check_policy",
        "spark_jobs.backtest.backtest_policy",
        [*ARGUMENTS, "--check"],
        retries=NO_RETRY,
    )
    check >> submit("backtest_policy", "backtest/backtest_policy.py", ARGUMENTS)


backtest_policy()
