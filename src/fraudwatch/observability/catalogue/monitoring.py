"""Declare the metrics of monitoring itself and of all Java processes."""

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

JAVA: Final = Section(
    "Java processes",
    ("kafka", "cassandra", "namenode", "datanode", "metastore", "thrift_server", "detector"),
    "Of the JMX agent in each of them.",
    (
        Metric(
            name="jvm_memory_used_bytes",
            kind=Kind.GAUGE,
            unit=Unit.BYTES,
            meaning="Memory in use",
            worry_when="the lower edge of its sawtooth comes near jvm_memory_max_bytes",
            labels=(Label("area"),),
        ),
        Metric(
            name="jvm_memory_max_bytes",
            kind=Kind.GAUGE,
            unit=Unit.BYTES,
            meaning="Limit of the memory",
            worry_when=NEVER_ALONE,
            labels=(Label("area"),),
        ),
        Metric(
            name="jvm_gc_collection_seconds",
            kind=Kind.HISTOGRAM,
            unit=Unit.SECONDS,
            meaning="Time of garbage collections, as _sum and _count",
            worry_when="it increases by more than 0.1 a second",
            labels=(Label("gc"),),
        ),
        Metric(
            name="jvm_threads_current",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Threads",
            worry_when="it grows for hours",
        ),
    ),
)

MONITORING: Final = Section(
    "Prometheus and Alertmanager",
    ("prometheus", "alertmanager"),
    "The few of their own metrics that rules use.",
    (
        Metric(
            name="up",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="1 if the last scrape of the process succeeded",
            worry_when="it is 0 for a minute",
        ),
        Metric(
            name="alertmanager_notifications_failed_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Mails that could not be sent",
            worry_when="it increases: nobody hears of alerts",
            labels=(Label("integration"),),
        ),
    ),
)
