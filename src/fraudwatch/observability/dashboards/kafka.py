"""Dashboard *Kafka*: the broker, its topics, and how far consumers are behind."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.dashboards.java import java_panels
from fraudwatch.observability.dashboards.panels import (
    MUST_BE_0,
    MUST_BE_1,
    Dashboard,
    Kind,
    Limits,
    Panel,
    Query,
    Row,
    Unit,
)
from fraudwatch.observability.dashboards.promql import rate

_NOW: Final = (
    Panel(
        title="Broker answers",
        normal="Yes.",
        queries=(Query("broker", "min(fraudwatch_kafka_reachable)"),),
        unit=Unit.YES_NO,
        kind=Kind.NUMBER,
        width=4,
        limits=MUST_BE_1,
        alerts=("KafkaDown",),
    ),
    Panel(
        title="Active controllers",
        normal="1. 0: nothing can be created or moved.",
        queries=(Query("controllers", "sum(kafka_controller_activecontrollercount)"),),
        kind=Kind.NUMBER,
        width=5,
        limits=MUST_BE_1,
    ),
    Panel(
        title="Offline partitions",
        normal="0. More: these partitions can be neither read nor written.",
        queries=(Query("partitions", "sum(kafka_controller_offlinepartitionscount)"),),
        kind=Kind.NUMBER,
        width=5,
        limits=MUST_BE_0,
        alerts=("KafkaPartitionsOffline",),
    ),
    Panel(
        title="Under-replicated partitions",
        normal="0; always 0 with a single broker.",
        queries=(
            Query("partitions", "sum(kafka_server_replicamanager_underreplicatedpartitions)"),
        ),
        kind=Kind.NUMBER,
        width=5,
        limits=MUST_BE_0,
    ),
    Panel(
        title="Retention left, least",
        normal="Time until retention deletes unread messages. Days, or infinite: all is read.",
        queries=(Query("left", "min(fraudwatch_consumer_retention_left_seconds)"),),
        unit=Unit.SECONDS,
        kind=Kind.NUMBER,
        width=5,
        limits=Limits(172_800, 43_200, low_is_bad=True),
        alerts=("RetentionNear",),
    ),
)
_TRAFFIC: Final = (
    Panel(
        title="Messages by topic",
        normal="transaction_topic, fraud_topic and feature_topic run together.",
        queries=(Query("{{topic}}", rate("fraudwatch_topic_messages_total", "topic")),),
        unit=Unit.PER_SECOND,
    ),
    Panel(
        title="Messages in, as the broker counts them",
        normal="As on the left, with the internal topics.",
        queries=(
            Query(
                "{{topic}}",
                rate("kafka_server_brokertopicmetrics_messagesin_total", "topic", 'topic!=""'),
            ),
        ),
        unit=Unit.PER_SECOND,
    ),
    Panel(
        title="Time of requests, p99",
        normal="Produce below 50 ms. Fetches wait for messages, up to half a second.",
        queries=(
            Query(
                "{{request}}",
                "max by (request) (kafka_network_requestmetrics_totaltimems"
                '{request=~"Produce|FetchConsumer", quantile="0.99"}) / 1000',
            ),
        ),
        unit=Unit.SECONDS,
    ),
)
_CONSUMERS: Final = (
    Panel(
        title="Lag in seconds",
        normal="Age of the oldest unread message. 0 or a second.",
        queries=(
            Query(
                "{{group}}: {{topic}}",
                "max by (group, topic) (fraudwatch_consumer_lag_seconds)",
            ),
        ),
        unit=Unit.SECONDS,
        limits=Limits(10, 60),
        alerts=("ConsumerLagHigh",),
    ),
    Panel(
        title="Lag in messages",
        normal="About a second of traffic; archives are behind until their next run.",
        queries=(
            Query(
                "{{group}}: {{topic}}",
                "sum by (group, topic) (fraudwatch_consumer_lag_messages)",
            ),
        ),
        alerts=("ConsumerLagHigh",),
    ),
    Panel(
        title="Time until retention deletes unread messages",
        normal="Days. No line: all is read.",
        queries=(
            Query(
                "{{group}}: {{topic}}",
                "min by (group, topic) (fraudwatch_consumer_retention_left_seconds)",
            ),
        ),
        unit=Unit.SECONDS,
        alerts=("RetentionNear",),
    ),
)

KAFKA: Final = Dashboard(
    uid="fraudwatch-kafka",
    title="Kafka",
    about="The broker, its topics, and how far consumers are behind.",
    rows=(
        Row("Broker", _NOW),
        Row("Traffic", _TRAFFIC),
        Row("Consumers", _CONSUMERS),
        Row("Java", java_panels("kafka")),
    ),
)
