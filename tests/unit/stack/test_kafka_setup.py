from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka.admin import AlterConfigOpType  # type: ignore[attr-defined]  # its own name

from fraudwatch.stack import topic_contracts
from fraudwatch.stack.home import ROOT, StackError
from fraudwatch.stack.kafka_setup import SetupSettings, make_topics
from fraudwatch.stack.topic_contracts import Topic

TOPICS = topic_contracts.read(ROOT / "contracts/topics")
DURABLE = {
    "transaction_topic",
    "fraud_topic",
    "feature_topic",
    "labels_topic",
    "audit_topic",
    "dead_letter_topic",
}
NEVER = str(2**63 - 1)


class FakeAdmin:
    """A broker's topics with their configuration."""

    def __init__(self, **partitions: int) -> None:
        self.partitions = partitions
        self.configuration: dict[str, dict[str, str]] = {name: {} for name in partitions}

    def list_topics(self, timeout: float) -> Any:
        assert timeout > 0
        return SimpleNamespace(
            topics={
                name: SimpleNamespace(partitions=dict.fromkeys(range(count)))
                for name, count in self.partitions.items()
            }
        )

    def create_topics(self, wanted: list[Any]) -> dict[str, Future[None]]:
        for one in wanted:
            self.partitions[one.topic] = one.num_partitions
            self.configuration[one.topic] = dict(one.config)
        return {one.topic: _done() for one in wanted}

    def incremental_alter_configs(self, resources: list[Any]) -> dict[str, Future[None]]:
        for one in resources:
            for entry in one.incremental_configs:
                assert entry.incremental_operation is AlterConfigOpType.SET
                self.configuration[one.name][entry.name] = entry.value
        return {one.name: _done() for one in resources}


def _done() -> Future[None]:
    future: Future[None] = Future()
    future.set_result(None)
    return future


def flushed(admin: FakeAdmin) -> set[str]:
    return {
        name
        for name, configuration in admin.configuration.items()
        if configuration["flush.messages"] == "1"
    }


def setup(admin: FakeAdmin, *, flush_each_message: bool = True) -> None:
    make_topics(admin, TOPICS, flush_each_message=flush_each_message)  # type: ignore[arg-type]


def test_new_topics_are_flushed_before_a_message_is_acknowledged() -> None:
    admin = FakeAdmin()
    setup(admin)
    assert admin.partitions == {topic.name: topic.partitions for topic in TOPICS}
    assert flushed(admin) == DURABLE


def test_topics_of_before_are_flushed_from_the_next_start_on() -> None:
    admin = FakeAdmin(**{topic.name: topic.partitions for topic in TOPICS})
    setup(admin)
    assert flushed(admin) == DURABLE


def test_the_flush_is_switched_off_for_all_topics_by_one_setting() -> None:
    admin = FakeAdmin()
    setup(admin)
    setup(admin, flush_each_message=False)
    assert flushed(admin) == set()
    assert admin.configuration["fraud_topic"]["flush.messages"] == NEVER


def test_the_setting_is_on_unless_it_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    login = {"bootstrap_servers": "b:1", "username": "admin", "password": "a long enough secret 7"}
    assert SetupSettings(**login).flush_each_message  # type: ignore[arg-type]
    monkeypatch.setenv("KAFKA_FLUSH_EACH_MESSAGE", "False")
    assert not SetupSettings(**login).flush_each_message  # type: ignore[arg-type]


def test_a_changed_number_of_partitions_is_refused() -> None:
    topic = Topic(name="t", partitions=2, configuration=(), producers=(), consumers=())
    with pytest.raises(StackError, match="t has 3 partitions but its contract has 2"):
        make_topics(FakeAdmin(t=3), [topic])  # type: ignore[arg-type]
