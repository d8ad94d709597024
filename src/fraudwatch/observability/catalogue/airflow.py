"""Declare the metrics that Airflow sends through StatsD."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.catalogue.metric import (
    NEVER_ALONE,
    Kind,
    Label,
    Metric,
    Section,
    Unit,
)

AIRFLOW: Final = Section(
    "Airflow",
    ("statsd_bridge", "statsd_exporter"),
    "The names are Airflow's, with tags as labels; counters have no _total.",
    (
        Metric(
            name="airflow_dagrun_duration_success",
            kind=Kind.HISTOGRAM,
            unit=Unit.SECONDS,
            meaning="Time of DAG runs that succeeded",
            worry_when="it nears the DAG's interval",
            labels=(Label("dag_id"), Label("run_type")),
        ),
        Metric(
            name="airflow_dagrun_duration_failed",
            kind=Kind.HISTOGRAM,
            unit=Unit.SECONDS,
            meaning="Time of DAG runs that failed",
            worry_when="its count increases",
            labels=(Label("dag_id"), Label("run_type")),
        ),
        Metric(
            name="airflow_dagrun_schedule_delay",
            kind=Kind.HISTOGRAM,
            unit=Unit.SECONDS,
            meaning="Delay of the start of a DAG run",
            worry_when="p99 is above 60",
            labels=(Label("dag_id"),),
        ),
        Metric(
            name="airflow_task_duration",
            kind=Kind.HISTOGRAM,
            unit=Unit.SECONDS,
            meaning="Time of task runs",
            worry_when=NEVER_ALONE,
            labels=(Label("dag_id"), Label("task_id")),
        ),
        Metric(
            name="airflow_ti_failures",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Task runs that failed",
            worry_when="it increases",
        ),
        Metric(
            name="airflow_ti_finish",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Task runs that ended, by state",
            worry_when="failed increases",
            labels=(Label("state"),),
        ),
        Metric(
            name="airflow_scheduler_heartbeat",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Heartbeats of the scheduler",
            worry_when="it stops increasing: nothing is started",
        ),
        Metric(
            name="airflow_dag_processor_heartbeat",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Heartbeats of the DAG processor",
            worry_when="it stops increasing: changed DAGs are not loaded",
        ),
        Metric(
            name="airflow_triggerer_heartbeat",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Heartbeats of the triggerer",
            worry_when="it stops increasing: deferred tasks wait for ever",
        ),
        Metric(
            name="airflow_pool_open_slots",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Open slots of the pool",
            worry_when="it is 0 for hours",
            labels=(Label("pool_name"),),
        ),
        Metric(
            name="airflow_pool_queued_slots",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Slots of the pool that queued tasks will take",
            worry_when="it grows",
            labels=(Label("pool_name"),),
        ),
        Metric(
            name="airflow_pool_starving_tasks",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Tasks that no slot of the pool is left for",
            worry_when="it is not 0 for an hour",
            labels=(Label("pool_name"),),
        ),
        Metric(
            name="airflow_executor_open_slots",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Open slots of the executor",
            worry_when="it is 0 for an hour",
        ),
        Metric(
            name="airflow_dag_processing_import_errors",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="DAG files that cannot be imported",
            worry_when="it is not 0",
        ),
        Metric(
            name="airflow_dag_callback_exceptions",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Callbacks of DAGs that raised",
            worry_when="it increases: failure mails are not sent",
        ),
    ),
)
