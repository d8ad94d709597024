"""Declare the metrics of the log guard."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.catalogue.metric import Kind, Label, Metric, Section, Unit
from fraudwatch.topics import FEATURE_TOPIC, FRAUD_TOPIC, TRANSACTION_TOPIC

LOG_GUARD: Final = Section(
    "Log guard",
    ("log_guard",),
    "",
    (
        Metric(
            name="fraudwatch_log_guard_free_bytes",
            kind=Kind.GAUGE,
            unit=Unit.BYTES,
            meaning="Free space of the disk with the topics",
            worry_when="it is below DISK_DELETE_BELOW_GIB: old messages go that all have read",
        ),
        Metric(
            name="fraudwatch_log_guard_pressure",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="0: enough space; 1: messages are deleted; 2: ingest slows; 3: it refuses",
            worry_when="it is 2 or 3: a reader or the archive is behind, or the disk is too small",
        ),
        Metric(
            name="fraudwatch_log_guard_deleted_messages_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Messages deleted because the disk was full; all readers had them",
            worry_when="it grows every day: the topics do not fit the disk for their retention",
            labels=(Label("topic", (TRANSACTION_TOPIC, FRAUD_TOPIC, FEATURE_TOPIC)),),
        ),
    ),
)
