from __future__ import annotations

import gc
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka import Consumer
from pydantic import SecretStr

from fraudwatch.adapters.kafka_log import topic as topic_module
from fraudwatch.adapters.kafka_log.topic import KafkaTopic
from fraudwatch.application.ports import NotDelivered
from fraudwatch.settings import KafkaSettings
from tests.waiting import eventually

NO_BROKER = KafkaSettings(
    bootstrap_servers="127.0.0.1:1",
    username="ingest",
    password=SecretStr("0123456789abcdef0"),
    security_protocol="PLAINTEXT",
)


def in_memory(_: KafkaSettings, *, linger_ms: int) -> dict[str, object]:
    """Return the settings of a producer with the driver's own cluster in memory."""
    return {"test.mock.num.brokers": 1, "linger.ms": linger_ms, "enable.idempotence": True}


def test_calls_fail_after_their_own_timeout_and_not_one_after_the_other() -> None:
    topic = KafkaTopic(NO_BROKER, "transaction_topic", timeout_seconds=1.0)

    def send(number: int) -> float:
        began = time.monotonic()
        with pytest.raises(NotDelivered, match="2 messages did not reach the broker"):
            topic.publish([(f"key-{number}", b"{}", 1), (f"key-{number}", b"{}", 2)])
        return time.monotonic() - began

    with ThreadPoolExecutor(8) as callers:
        waited_seconds = list(callers.map(send, range(8)))
    assert max(waited_seconds) < 4


def test_acknowledged_messages_of_a_call_are_on_the_topic_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(topic_module, "producer_config", in_memory)
    topic = KafkaTopic(NO_BROKER, "transaction_topic", timeout_seconds=20)
    topic.publish([])

    def send(number: int) -> None:
        topic.publish([(f"key-{number}", b"%d" % step, 1) for step in range(50)])

    with ThreadPoolExecutor(4) as callers:
        list(callers.map(send, range(4)))
    metadata = topic.producer.list_topics("transaction_topic", timeout=5)
    [broker] = metadata.brokers.values()
    consumer = Consumer(
        {
            "bootstrap.servers": f"{broker.host}:{broker.port}",
            "group.id": "test",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe(["transaction_topic"])
    steps: dict[bytes, list[int]] = {}
    deadline = time.monotonic() + 30
    while sum(map(len, steps.values())) < 200 and time.monotonic() < deadline:
        for message in consumer.consume(200, timeout=1):
            steps.setdefault(message.key() or b"", []).append(int(message.value() or b""))
    consumer.close()
    assert steps == {b"key-%d" % number: list(range(50)) for number in range(4)}


def test_a_topic_that_nothing_refers_to_ends_its_thread() -> None:
    topic = KafkaTopic(NO_BROKER, "ended_topic", timeout_seconds=0.2)
    with pytest.raises(NotDelivered):
        topic.publish([("key", b"{}", 1)])
    threads = [one for one in threading.enumerate() if one.name == "ack ended_topic"]
    assert len(threads) == 1
    left = weakref.ref(topic)
    del topic
    gc.collect()
    assert left() is None
    eventually(lambda: not threads[0].is_alive(), within_seconds=10, what="the end of the thread")
