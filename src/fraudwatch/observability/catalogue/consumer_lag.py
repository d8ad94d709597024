"""Declare the metrics of the Kafka lag exporter."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.catalogue.metric import Kind, Label, Metric, Section, Unit

CONSUMER_LAG: Final = Section(
    "Kafka lag exporter",
    ("kafka_lag",),
    (
        "From committed offsets, so also while a consumer is down; of the detector from "
        "Spark's checkpoint."
    ),
    (
        Metric(
            name="fraudwatch_consumer_lag_messages",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Messages between the group's position and the end of the topic",
            worry_when="it grows for minutes: the consumer cannot follow, or is down",
            labels=(Label("group"), Label("topic")),
        ),
        Metric(
            name="fraudwatch_consumer_lag_seconds",
            kind=Kind.GAUGE,
            unit=Unit.SECONDS,
            meaning="Age of the oldest message that the group has not read; 0 when none waits",
            worry_when="it is above 60: what the consumer makes of the messages is late",
            labels=(Label("group"), Label("topic")),
        ),
        Metric(
            name="fraudwatch_consumer_retention_left_seconds",
            kind=Kind.GAUGE,
            unit=Unit.SECONDS,
            meaning=(
                "Time until retention removes the oldest unread message; infinite when none waits"
            ),
            worry_when="it is less than a day: messages would be lost unread",
            labels=(Label("group"), Label("topic")),
        ),
        Metric(
            name="fraudwatch_topic_messages_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Messages ever written to the topic: the sum of its end offsets",
            worry_when="it falls: the topic was recreated",
            labels=(Label("topic"),),
        ),
        Metric(
            name="fraudwatch_kafka_reachable",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="1 if the broker answered the last query",
            worry_when="it is 0: the figures above are old",
        ),
    ),
)
