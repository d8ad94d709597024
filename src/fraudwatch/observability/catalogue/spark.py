"""Declare the metrics of Spark's drivers that the JMX agent exports."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.catalogue.metric import Kind, Label, Metric, Section, Unit

SPARK: Final = Section(
    "Spark",
    ("detector", "thrift_server"),
    "Of the drivers, through the JMX agent, by the allow-list monitoring/jmx/spark.yml.",
    (
        Metric(
            name="spark_dagscheduler_job_alljobs",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Jobs since the start",
            worry_when="it stops increasing in the detector while transactions arrive",
        ),
        Metric(
            name="spark_dagscheduler_stage_failedstages",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Stages that failed and were not run again",
            worry_when="it is not 0",
        ),
        Metric(
            name="spark_blockmanager_memused_bytes",
            kind=Kind.GAUGE,
            unit=Unit.BYTES,
            meaning="Memory of cached and broadcast blocks",
            worry_when="it grows for hours",
        ),
        Metric(
            name="spark_livelistenerbus_dropped_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Events that a listener was too slow for",
            worry_when="it increases: figures of Spark's progress are incomplete",
            labels=(Label("queue"),),
        ),
    ),
)
