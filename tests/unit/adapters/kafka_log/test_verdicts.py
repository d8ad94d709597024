"""Against the broker that librdkafka brings along for tests, in this process."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from confluent_kafka import Producer
from pydantic import SecretStr

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.kafka_log.verdicts import KafkaVerdicts
from fraudwatch.application.intake.pending_verdicts import PendingVerdictRegistry
from fraudwatch.application.ports import VerdictsUnavailable
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.samples import a_verdict
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import FRAUD_TOPIC, SANDBOX_FRAUD_TOPIC
from tests.waiting import eventually


class Broker:
    """A broker with one producer of verdicts."""

    def __init__(self) -> None:
        self._producer = Producer({"test.mock.num.brokers": 1})
        brokers = self._producer.list_topics(timeout=10).brokers.values()
        self.address = ",".join(f"{one.host}:{one.port}" for one in brokers)
        for topic in (FRAUD_TOPIC, SANDBOX_FRAUD_TOPIC):
            self.write(b"before anybody listens", topic=topic)

    def write(self, *values: bytes, topic: str = FRAUD_TOPIC) -> None:
        for value in values:
            self._producer.produce(topic, value, b"anna")
        assert self._producer.flush(10) == 0

    def settings(self) -> KafkaSettings:
        return KafkaSettings(
            bootstrap_servers=self.address,
            username="ingest",
            password=SecretStr("a-password-of-the-test-0"),
            security_protocol="PLAINTEXT",
        )


@pytest.fixture(scope="module")
def broker() -> Broker:
    return Broker()


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "verdicts"]


def waited(
    verdicts: KafkaVerdicts, expectations: PendingVerdictRegistry, broker: Broker
) -> set[str]:
    """Verdicts that a caller gets who waits from before until after they are written."""

    async def run() -> dict[str, Verdict]:
        with expectations.waiting_for(["shop:1", "shop:2"]) as expected:
            await asyncio.to_thread(verdicts.listen)
            written = [encode(a_verdict(transaction_id=f"shop:{n}")) for n in (0, 2, 1)]
            broker.write(b"garbage", b'{"transaction_id":"shop:1"}', *written)
            return await expected.collect(["shop:1", "shop:2"], within_seconds=20)

    return set(asyncio.run(run()))


def test_the_first_caller_misses_nothing_and_an_idle_consumer_ends(broker: Broker) -> None:
    expectations = PendingVerdictRegistry()
    verdicts = KafkaVerdicts(broker.settings(), expectations, idle_seconds=0.5)
    assert readers() == []
    assert waited(verdicts, expectations, broker) == {"shop:1", "shop:2"}
    verdicts.listen()
    assert len(readers()) == 1
    eventually(lambda: not readers(), within_seconds=10, what="the idle reader's end")
    assert waited(verdicts, expectations, broker) == {"shop:1", "shop:2"}
    eventually(lambda: not readers(), within_seconds=10, what="the idle reader's end")


@pytest.mark.parametrize("topic", [FRAUD_TOPIC, SANDBOX_FRAUD_TOPIC])
def test_an_unavailable_broker_is_reported(broker: Broker, topic: str) -> None:
    away = broker.settings().model_copy(update={"bootstrap_servers": "127.0.0.1:1"})
    verdicts = KafkaVerdicts(away, PendingVerdictRegistry(), topic=topic)
    with pytest.raises(VerdictsUnavailable, match=f"{topic} cannot be read"):
        verdicts.listen()
    # The next callers do not wait for the same answer one after the other.
    began = time.monotonic()
    for _ in range(10):
        with pytest.raises(VerdictsUnavailable, match="a moment ago"):
            verdicts.listen()
    assert time.monotonic() - began < 1
    assert readers() == []


def test_a_caller_of_the_sandbox_gets_its_verdicts_and_no_real_ones(broker: Broker) -> None:
    expectations = PendingVerdictRegistry()
    sandbox = KafkaVerdicts(
        broker.settings(), expectations, topic=SANDBOX_FRAUD_TOPIC, idle_seconds=0.5
    )

    async def run() -> dict[str, Verdict]:
        with expectations.waiting_for(["shop:1", "shop:2"]) as expected:
            await asyncio.to_thread(sandbox.listen)
            broker.write(encode(a_verdict(transaction_id="shop:1")))
            broker.write(encode(a_verdict(transaction_id="shop:2")), topic=SANDBOX_FRAUD_TOPIC)
            await expected.collect(["shop:2"], within_seconds=20)
            return await expected.collect(["shop:1", "shop:2"], within_seconds=1)

    assert asyncio.run(run()).keys() == {"shop:2"}
    eventually(lambda: not readers(), within_seconds=10, what="the idle reader's end")
