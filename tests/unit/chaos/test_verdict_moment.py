"""Test waiting for a verdict on the mock broker of Kafka's own client library."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from confluent_kafka import Consumer, Producer
from pydantic import SecretStr

from chaos import verdict_moment
from chaos.verdict_moment import new_verdict
from fraudwatch.settings import KafkaSettings
from fraudwatch.stack.home import StackError

TOPIC = "verdicts"


@pytest.fixture(scope="module")
def kafka() -> Iterator[KafkaSettings]:
    options = {"test.mock.num.brokers": 1, "group.id": "owner", "bootstrap.servers": "unused"}
    with closing(Consumer(options)) as owner:  # the mock broker lives as long as this consumer
        (broker,) = owner.list_topics(timeout=10).brokers.values()
        yield KafkaSettings(
            bootstrap_servers=f"{broker.host}:{broker.port}",
            username="admin",
            password=SecretStr("0123456789abcdef"),
            security_protocol="PLAINTEXT",
        )


def write(kafka: KafkaSettings, *values: bytes) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    for value in values:
        producer.produce(TOPIC, value)
    assert producer.flush(10) == 0


def test_an_old_verdict_is_ignored(kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    write(kafka, *(b"%d" % n for n in range(50)))
    monkeypatch.setattr(verdict_moment, "VERDICT_SECONDS", 1.5)
    with (
        pytest.raises(StackError, match="no new verdict came in 2 s") as raised,
        new_verdict(kafka, topic=TOPIC),
    ):
        pytest.fail("the body was entered")
    assert "not killed" in str(raised.value)


def test_a_new_verdict_opens_the_body_at_once(kafka: KafkaSettings) -> None:
    write(kafka, b"old")
    acknowledged_at: list[float] = []

    def write_later() -> None:
        time.sleep(1.5)
        write(kafka, b"new")
        acknowledged_at.append(time.monotonic())

    writing = threading.Thread(target=write_later)
    writing.start()
    with new_verdict(kafka, topic=TOPIC):
        entered_at = time.monotonic()
    writing.join()
    # Wide for a busy machine, and still far below the limit of a minute.
    assert abs(entered_at - acknowledged_at[0]) < 1


def test_an_unreachable_broker_is_reported(
    kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdict_moment, "_ANSWER_SECONDS", 0.5)
    away = kafka.model_copy(update={"bootstrap_servers": "127.0.0.1:1"})
    with pytest.raises(StackError, match="cannot be read"), new_verdict(away):
        pytest.fail("the body was entered")
