"""Cassandra hangs, as in a long pause or on a dead disk: it neither answers nor refuses."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient
from prometheus_client.parser import text_string_to_metric_families

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.kafka_log.ends import committed_of
from fraudwatch.adapters.kafka_log.log import KafkaTopic, client_config
from fraudwatch.adapters.store.alerts import CassandraAlertReader
from fraudwatch.adapters.store.session import close, connect
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.samples import a_purchase
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import FRAUD_TOPIC, LABELS_TOPIC, TRANSACTION_TOPIC
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300)]
HANG_SECONDS = 15


def metric(stack: PrivateStack, name: str, **labels: str) -> float:
    port = stack.port("persister", "metrics")
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def member_of(stack: PrivateStack) -> tuple[str, ConsumerGroupState]:
    admin = AdminClient(client_config(stack.kafka("admin")))
    group = admin.describe_consumer_groups(["persister"])["persister"].result(30)
    [member] = group.members
    return member.member_id, group.state


def committed(stack: PrivateStack) -> dict[tuple[str, int], int]:
    kafka = stack.kafka("admin")
    return {
        (topic, partition): offset
        for topic in (FRAUD_TOPIC, TRANSACTION_TOPIC)
        for partition, offset in committed_of(kafka, "persister", topic).items()
    }


@contextmanager
def hung(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_hanging_store_only_delays_rows(stack: PrivateStack) -> None:
    source = f"hang-{uuid.uuid4().hex[:6]}"
    names = {f"{source}:{n}" for n in range(200)}
    label = Label(
        schema=LABEL_SCHEMA,
        transaction_id=f"{source}:7",
        verdict=LabelValue.FRAUD,
        source=Source.ANALYST,
        by="a.moreno",
        known_at_ms=time.time_ns() // 1_000_000,
    )
    process, member = stack.pid("persister"), member_of(stack)

    with hung(stack.pid("cassandra")):
        began = time.monotonic()
        now_ms = time.time_ns() // 1_000_000
        purchases = [
            a_purchase(source=source, id=str(n), customer_id=f"c-{n}", event_at_ms=now_ms)
            for n in range(200)
        ]
        with stack.http("ingest", "INGEST_API_KEY") as ingest:
            assert ingest.post("/v1/transactions", content=encode(purchases)).status_code == 202
            # A caller that waits for a verdict is not delayed by the store.
            asked_at = time.monotonic()
            one = a_purchase(source=source, id="waits", customer_id="w", event_at_ms=now_ms)
            waited = ingest.post("/v1/transactions?wait_seconds=5", content=encode(one))
            assert waited.json()["accepted"] == 1
            assert time.monotonic() - asked_at < 8
        KafkaTopic(stack.kafka("ingest"), LABELS_TOPIC).publish(
            [(label.transaction_id, encode(label), now_ms)]
        )
        eventually(
            lambda: metric(stack, "fraudwatch_persister_paused") == 1,
            within_seconds=10,
            what="paused consumption",
        )
        before = committed(stack)
        polled = metric(stack, "fraudwatch_persister_seconds_total", phase="resting")
        time.sleep(max(0, began + HANG_SECONDS - time.monotonic()))
        # It keeps polling, reports the age of the waiting messages, and commits none of them.
        assert metric(stack, "fraudwatch_persister_seconds_total", phase="resting") > polled
        assert metric(stack, "fraudwatch_persister_lag_seconds") > 5
        assert committed(stack) == before

    returned = time.monotonic()
    session = connect(stack.cassandra("console"))
    try:
        reader = CassandraAlertReader(session)
        eventually(
            lambda: all(reader.verdict_of(name) for name in names),
            within_seconds=20,
            what="the row of every verdict",
        )
        eventually(
            lambda: reader.labels_of(label.transaction_id) == [label],
            within_seconds=10,
            what="the row of the label",
        )
        took_seconds = time.monotonic() - returned
    finally:
        close(session)
    eventually(
        lambda: metric(stack, "fraudwatch_persister_paused") == 0,
        within_seconds=10,
        what="resumed consumption",
    )
    eventually(
        lambda: (
            all(end >= before[partition] for partition, end in committed(stack).items())
            and committed(stack) != before
        ),
        within_seconds=10,
        what="commits after the rows",
    )
    print(f"written {took_seconds:.1f} s after Cassandra answered again")  # noqa: T201  a figure
    assert stack.pid("persister") == process
    assert member_of(stack) == member
