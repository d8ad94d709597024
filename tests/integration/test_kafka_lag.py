"""Lag in messages and seconds from committed offsets, of consumers that run and that are down."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import httpx
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from exporters.kafka_lag.lag import Lag, measure
from exporters.kafka_lag.message_times import MessageTimes
from fraudwatch.adapters.kafka_log.ends import committed_of, ends_of
from fraudwatch.adapters.kafka_log.log import client_config, read_range
from fraudwatch.adapters.kafka_log.positions import BrokerUnavailable, KafkaPositions, Partition
from fraudwatch.stack import supervisor
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import (
    AUDIT_TOPIC,
    FEATURE_TOPIC,
    FRAUD_TOPIC,
    LABELS_TOPIC,
    TRANSACTION_TOPIC,
)
from tests.waiting import eventually

pytestmark = pytest.mark.engines

HOUR = 3600.0
# As in its contract.
RETENTION_SECONDS = 400 * 24 * HOUR
GROUP = "persister"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def produce(stack: PrivateStack, ages_seconds: list[float]) -> None:
    producer = Producer(client_config(stack.kafka("admin")))
    for age in ages_seconds:
        at = now_ms() - int(age * 1000)
        producer.produce(AUDIT_TOPIC, b"{}", b"key", timestamp=at)
        producer.flush(10)


def commit(stack: PrivateStack, group: str, offset: int) -> None:
    consumer = Consumer(client_config(stack.kafka("persister")) | {"group.id": group})
    try:
        consumer.commit(offsets=[TopicPartition(AUDIT_TOPIC, 0, offset)], asynchronous=False)
    finally:
        consumer.close()


def lag_of(stack: PrivateStack, group: str) -> Lag:
    broker = KafkaPositions(stack.kafka("monitor"))
    report = measure(broker, MessageTimes(broker.first_since), {}, now_ms())
    (found,) = (one for one in report.lags if (one.group, one.topic) == (group, AUDIT_TOPIC))
    return found


def published(stack: PrivateStack, name: str, **labels: str) -> float:
    """Return one sample of the exporter's page; NaN if it is not there."""
    page = httpx.get(
        f"http://127.0.0.1:{stack.port('kafka_lag', 'metrics')}/metrics", trust_env=False
    ).text
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return math.nan


def test_a_group_that_is_down_is_behind_by_messages_and_by_the_oldest_ones_age(
    kafka_stack: PrivateStack,
) -> None:
    group = f"{GROUP}-lag"
    end = KafkaPositions(kafka_stack.kafka("monitor")).ends([Partition(AUDIT_TOPIC, 0)])
    before = end[Partition(AUDIT_TOPIC, 0)]
    produce(kafka_stack, [3 * HOUR, 2 * HOUR, HOUR, 60.0, 1.0])
    commit(kafka_stack, group, before + 5)
    read = lag_of(kafka_stack, group)
    assert (read.messages, read.oldest_seconds) == (0, 0.0)
    assert read.retention_left_seconds == math.inf
    for unread, age in ((5, 3 * HOUR), (3, HOUR), (2, 60.0)):
        commit(kafka_stack, group, before + 5 - unread)
        found = lag_of(kafka_stack, group)
        assert found.messages == unread
        assert found.oldest_seconds == pytest.approx(age, rel=0.02, abs=15)
        left = RETENTION_SECONDS - found.oldest_seconds
        assert found.retention_left_seconds == pytest.approx(left, abs=1)


def test_the_exporter_publishes_a_group_that_is_new(kafka_stack: PrivateStack) -> None:
    # Older than all of the test before: times must grow with offsets, in whatever order tests run.
    produce(kafka_stack, [10 * HOUR])
    group = f"{GROUP}-new"
    commit(kafka_stack, group, 0)
    labels = {"group": group, "topic": AUDIT_TOPIC}
    seconds = eventually(
        lambda: published(kafka_stack, "fraudwatch_consumer_lag_seconds", **labels) > HOUR - 60,
        within_seconds=60,
        what="the lag of a new group",
    )
    assert seconds
    assert published(kafka_stack, "fraudwatch_kafka_reachable") == 1
    assert published(kafka_stack, "fraudwatch_consumer_lag_messages", **labels) >= 1
    assert published(kafka_stack, "fraudwatch_topic_messages_total", topic=AUDIT_TOPIC) >= 1


def test_a_broker_that_is_down_is_an_error_that_says_so(kafka_stack: PrivateStack) -> None:
    nowhere = kafka_stack.kafka("monitor").model_copy(update={"bootstrap_servers": "127.0.0.1:9"})
    with pytest.raises(BrokerUnavailable, match="does not answer"):
        KafkaPositions(nowhere).partitions()


@pytest.fixture
def stopped_persister(stack: PrivateStack) -> Iterator[None]:
    supervisor.call(stack.home, "stopProcess", "persister")
    yield
    supervisor.start_process(stack.home, "persister")


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("stopped_persister")
def test_lag_of_a_stopped_persister_grows_in_messages_and_seconds(stack: PrivateStack) -> None:
    labels = {"group": "persister", "topic": TRANSACTION_TOPIC}

    def lag() -> tuple[float, float]:
        return (
            published(stack, "fraudwatch_consumer_lag_messages", **labels),
            published(stack, "fraudwatch_consumer_lag_seconds", **labels),
        )

    # The shop sells three a second.
    first = eventually(
        lambda: (now := lag())[0] > 5 and now[1] > 1 and now,
        within_seconds=120,
        what="lag of the stopped persister",
    )
    eventually(
        lambda: (now := lag())[0] > first[0] + 20 and now[1] > first[1] + 8,
        within_seconds=120,
        what="more lag of the stopped persister",
    )
    left = published(stack, "fraudwatch_consumer_retention_left_seconds", **labels)
    # 35 days, as in its contract, less the age of the oldest.
    assert 30 * 24 * HOUR < left < 35 * 24 * HOUR


def test_lag_of_every_reader_is_published_while_they_run(stack: PrivateStack) -> None:
    def small(group: str, topic: str) -> bool:
        labels = {"group": group, "topic": topic}
        return published(stack, "fraudwatch_consumer_lag_messages", **labels) < 500

    # The detector has no group: its positions are those of Spark's checkpoint.
    for group, topic in (
        ("detector", TRANSACTION_TOPIC),
        ("persister", FRAUD_TOPIC),
        ("tally", FRAUD_TOPIC),
        ("notifier", FRAUD_TOPIC),
        ("webhooks", FRAUD_TOPIC),
        ("webhooks", LABELS_TOPIC),
    ):
        eventually(
            lambda group=group, topic=topic: small(group, topic),
            within_seconds=180,
            what=f"small lag of {group}",
        )


def test_reading_a_range_stores_no_position_that_would_fall_behind(
    kafka_stack: PrivateStack,
) -> None:
    kafka = kafka_stack.kafka("admin")
    producer = Producer(client_config(kafka))
    producer.produce(FEATURE_TOPIC, b"{}", b"key")
    producer.flush(10)
    ends = ends_of(kafka, FEATURE_TOPIC)
    assert sum(len(messages) for messages in read_range(kafka, FEATURE_TOPIC, ends)) > 0
    assert set(committed_of(kafka, "admin-range", FEATURE_TOPIC).values()) == {0}
