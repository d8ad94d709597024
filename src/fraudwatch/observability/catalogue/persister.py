"""Declare the metrics of the persister."""

from __future__ import annotations

import math
from typing import Final

from fraudwatch.observability.catalogue.metric import (
    Kind,
    Label,
    Metric,
    Section,
    Unit,
)
from fraudwatch.topics import AUDIT_TOPIC, FRAUD_TOPIC, LABELS_TOPIC, TRANSACTION_TOPIC

_TOPIC: Final = Label("topic", (TRANSACTION_TOPIC, FRAUD_TOPIC, LABELS_TOPIC, AUDIT_TOPIC))
_PHASE: Final = Label(
    "phase", ("polling", "decoding", "writing", "dead_letters", "committing", "resting")
)

PERSISTER: Final = Section(
    "Persister",
    ("persister",),
    "Rows over batches is the batch size.",
    (
        Metric(
            name="fraudwatch_persister_rows_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Messages written",
            worry_when="it stops increasing while the topic is busy",
            labels=(_TOPIC,),
        ),
        Metric(
            name="fraudwatch_event_to_row_seconds",
            kind=Kind.HISTOGRAM,
            unit=Unit.SECONDS,
            meaning="From production of the transaction to the row of its verdict",
            worry_when="p99 is above 1: alerts reach the console late",
        ),
        Metric(
            name="fraudwatch_verdict_to_row_seconds",
            kind=Kind.HISTOGRAM,
            unit=Unit.SECONDS,
            meaning="From production of the verdict to its row",
            worry_when="it is most of event_to_row: the persister or Cassandra is the bottleneck",
        ),
        Metric(
            name="fraudwatch_persister_paused",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="1 while the store is unavailable and consumption is paused",
            worry_when="it stays 1 for a minute: Cassandra is down, the console gets nothing new",
        ),
        Metric(
            name="fraudwatch_persister_topic_refused",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="1 while the topic is not the one that was read before; the others are read",
            worry_when="it is 1: its rows are missing until the topic is accepted",
            labels=(_TOPIC,),
        ),
        Metric(
            name="fraudwatch_persister_seconds_total",
            kind=Kind.COUNTER,
            unit=Unit.SECONDS,
            meaning="Time by phase",
            worry_when="writing takes nearly 1 s a second: Cassandra is the bottleneck",
            labels=(_PHASE,),
        ),
        Metric(
            name="fraudwatch_persister_batches_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Batches written and committed",
            worry_when="rows a batch stay at the maximum: the persister is behind",
        ),
        Metric(
            name="fraudwatch_persister_lag_seconds",
            kind=Kind.GAUGE,
            unit=Unit.SECONDS,
            meaning="Age of the oldest message consumed and not written yet; 0 while none waits",
            worry_when="it is above 5: alerts are late",
            labels=(_TOPIC,),
        ),
        Metric(
            name="fraudwatch_persister_written_until_seconds",
            kind=Kind.GAUGE,
            unit=Unit.EPOCH_SECONDS,
            meaning="When the newest written message was produced; NaN before the first",
            worry_when="it is before the current time while the topic is busy",
            labels=(_TOPIC,),
            initial=math.nan,
        ),
    ),
)
