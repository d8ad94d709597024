"""Dashboard *Airflow and batch*: schedulers, DAGs, and the jobs that they start."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.dashboards.panels import (
    MUST_BE_0,
    Dashboard,
    Event,
    Kind,
    Limits,
    Panel,
    Query,
    Row,
    Unit,
)
from fraudwatch.observability.dashboards.promql import events, last, last_age, mean, quantile, rate

_AIRFLOW: Final = Row(
    "Airflow",
    (
        Panel(
            title="Heartbeats",
            normal="All three steady. None from the DAG processor: no mails about failures either.",
            queries=(
                Query("scheduler", rate("airflow_scheduler_heartbeat")),
                Query("DAG processor", rate("airflow_dag_processor_heartbeat")),
                Query("triggerer", rate("airflow_triggerer_heartbeat")),
            ),
            unit=Unit.PER_SECOND,
            alerts=("AirflowHeartbeatMissing",),
        ),
        Panel(
            title="Tasks by pool",
            normal="Open slots in every pool; queued tasks only for a moment.",
            queries=(
                Query("{{pool_name}}: open", "max by (pool_name) (airflow_pool_open_slots)"),
                Query("{{pool_name}}: queued", "max by (pool_name) (airflow_pool_queued_slots)"),
            ),
        ),
        Panel(
            title="Executor and starving tasks",
            normal="Open slots above 0, starving tasks 0.",
            queries=(
                Query("open slots of the executor", "max(airflow_executor_open_slots)"),
                Query("starving tasks", "sum(airflow_pool_starving_tasks)"),
            ),
        ),
        Panel(
            title="Files with DAGs that cannot be imported",
            normal="0.",
            queries=(Query("import errors", "max(airflow_dag_processing_import_errors)"),),
            kind=Kind.NUMBER,
            limits=MUST_BE_0,
            alerts=("DagImportErrors",),
        ),
        Panel(
            title="Failed callbacks in the last day",
            normal="0. More: a mail about a failure was not sent.",
            queries=(Query("failed callbacks", events("airflow_dag_callback_exceptions", "1d")),),
            kind=Kind.NUMBER,
            limits=MUST_BE_0,
            appears_after=Event.FAILURE,
        ),
        Panel(
            title="Lines that the StatsD bridge refused",
            normal="0. More: a program sends what the bridge cannot read; its log names it.",
            queries=(Query("refused lines", "sum(statsd_bridge_bad_lines_total)"),),
            kind=Kind.NUMBER,
            limits=Limits(1, 100),
        ),
    ),
)
_DAGS: Final = Row(
    "DAGs",
    (
        Panel(
            title="Successful runs in the last day",
            normal="Each DAG as often as its schedule, hourly ones 24.",
            queries=(
                Query(
                    "{{dag_id}}", events("airflow_dagrun_duration_success_count", "1d", "dag_id")
                ),
            ),
            kind=Kind.BARS,
            alerts=("DagNeverRan",),
            appears_after=Event.DAG_RUN,
        ),
        Panel(
            title="Failed runs in the last day",
            normal="No bar.",
            queries=(
                Query("{{dag_id}}", events("airflow_dagrun_duration_failed_count", "1d", "dag_id")),
            ),
            kind=Kind.BARS,
            limits=MUST_BE_0,
            alerts=("DagFailed",),
            appears_after=Event.FAILURE,
        ),
        Panel(
            title="Duration of runs, mean of the last day",
            normal="Minutes; a steady length of each bar.",
            queries=(
                Query(
                    "{{dag_id}}",
                    f"{events('airflow_dagrun_duration_success_sum', '1d', 'dag_id')} / "
                    f"{events('airflow_dagrun_duration_success_count', '1d', 'dag_id')}",
                ),
            ),
            unit=Unit.SECONDS,
            kind=Kind.BARS,
            alerts=("DagLate",),
            appears_after=Event.DAG_RUN,
        ),
        Panel(
            title="Delay of scheduled runs, p95",
            normal="A few seconds. Minutes: the scheduler is overloaded or was stopped.",
            queries=(
                Query("{{dag_id}}", quantile(0.95, "airflow_dagrun_schedule_delay", "dag_id")),
            ),
            unit=Unit.SECONDS,
            limits=Limits(10, 60),
            alerts=("DagLate",),
            appears_after=Event.SCHEDULED_RUN,
        ),
        Panel(
            title="Finished tasks by state",
            normal="`success`, and `skipped` where a DAG branches.",
            queries=(Query("{{state}}", events("airflow_ti_finish", "1h", "state")),),
            stacked=True,
            appears_after=Event.DAG_RUN,
        ),
        Panel(
            title="Duration of tasks, mean",
            normal="Steady for each task.",
            queries=(
                Query("{{dag_id}} {{task_id}}", mean("airflow_task_duration", "dag_id, task_id")),
            ),
            unit=Unit.SECONDS,
            appears_after=Event.DAG_RUN,
        ),
        Panel(
            title="Failed tasks in the last hour",
            normal="0.",
            queries=(Query("failures", events("airflow_ti_failures", "1h")),),
            width=24,
            alerts=("DagFailed",),
            appears_after=Event.FAILURE,
        ),
    ),
)
_JOBS: Final = Row(
    "Jobs",
    (
        Panel(
            title="Time since the last success",
            normal="Below the job's interval: an hour or a day.",
            queries=(Query("{{job}}", last_age("fraudwatch_job_finished_at_seconds", "job")),),
            unit=Unit.SECONDS,
            kind=Kind.BARS,
            alerts=("DagLate",),
            appears_after=Event.JOB_RUN,
        ),
        Panel(
            title="Duration of jobs, mean of the last day",
            normal="Steady for each job.",
            queries=(
                Query(
                    "{{job}}",
                    f"{events('fraudwatch_job_seconds_sum', '1d', 'job')} / "
                    f"{events('fraudwatch_job_seconds_count', '1d', 'job')}",
                ),
            ),
            unit=Unit.SECONDS,
            kind=Kind.BARS,
            appears_after=Event.JOB_RUN,
        ),
        Panel(
            title="Rows of the last run",
            normal="Near the day before.",
            queries=(Query("{{job}}", last("fraudwatch_job_rows", "job")),),
            kind=Kind.BARS,
            appears_after=Event.JOB_RUN,
        ),
        Panel(
            title="Failed jobs in the last day",
            normal="0.",
            queries=(Query("{{job}}", events("fraudwatch_job_failures", "1d", "job")),),
            alerts=("DagFailed",),
            appears_after=Event.FAILURE,
        ),
        Panel(
            title="Verdicts and features that differ",
            normal="0: the batch half finds what the stream has published.",
            queries=(
                Query("verdicts", last("fraudwatch_reconcile_different")),
                Query("served features", last("fraudwatch_features_different")),
            ),
            alerts=("ReconciliationDiffers",),
            appears_after=Event.RECONCILIATION,
        ),
        Panel(
            title="Drift against the reference days (PSI)",
            normal="Below 0.1; above 0.25 the distribution is another one.",
            queries=(Query("{{subject}}", last("fraudwatch_drift_psi", "subject")),),
            limits=Limits(0.1, 0.25),
            appears_after=Event.DRIFT,
        ),
    ),
)

AIRFLOW_AND_BATCH: Final = Dashboard(
    uid="fraudwatch-batch",
    title="Airflow and batch",
    about="Schedulers, DAGs, and the jobs that they start: did they run, how long, with what.",
    rows=(_AIRFLOW, _DAGS, _JOBS),
)
