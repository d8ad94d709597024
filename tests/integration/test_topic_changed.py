"""A consumer group on a real broker: its topic is made anew, or ends before its offsets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own public names
    AdminClient,
    NewTopic,
)

from fraudwatch.adapters.kafka_log.consumer_group import GroupReader, Message
from fraudwatch.adapters.kafka_log.ends import committed_of
from fraudwatch.adapters.kafka_log.known_topics import ANEW
from fraudwatch.adapters.kafka_log.log import KafkaTopic, client_config, group_consumer
from fraudwatch.adapters.kafka_log.topic_check import TopicChanged, TopicLog
from fraudwatch.adapters.kafka_log.topic_logs import known_topics, topic_log_of
from fraudwatch.application.promotion.canary_trial import CanaryTrial, Position
from fraudwatch.domain.lake.offset_ranges import OffsetRange, lost_ranges
from fraudwatch.observability.metrics import gauge
from fraudwatch.settings import KafkaSettings
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import FEATURE_TOPIC, FRAUD_TOPIC, TRANSACTION_TOPIC
from streaming.shadow.topics import check_trial
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300)]

TOPIC = "topic_that_changes"
GROUP = "topic-that-changes"


@pytest.fixture(scope="module")
def kafka(kafka_stack: PrivateStack) -> KafkaSettings:
    return kafka_stack.kafka("admin")


@pytest.fixture
def admin(kafka: KafkaSettings) -> Iterator[AdminClient]:
    admin = AdminClient({**client_config(kafka)})
    create(admin)
    yield admin
    delete(admin)


def create(admin: AdminClient) -> None:
    admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result(30)


def delete(admin: AdminClient) -> None:
    admin.delete_topics([TOPIC])[TOPIC].result(30)
    eventually(
        lambda: TOPIC not in admin.list_topics(timeout=10).topics,
        within_seconds=30,
        what="the deletion of the topic",
    )


def send(kafka: KafkaSettings, count: int) -> None:
    KafkaTopic(kafka, TOPIC).send([("key", str(n).encode(), {}) for n in range(count)])


def read(kafka: KafkaSettings, folder: Path, count: int) -> list[int]:
    """Read as a process of its own would, and commit; return the offsets."""
    consumer = group_consumer(kafka, GROUP)
    reader = GroupReader(
        consumer, gauge("fraudwatch_tally_paused"), known=known_topics(kafka, GROUP, folder)
    )
    got: list[Message] = []
    try:
        reader.subscribe([TOPIC])
        eventually(
            lambda: got.extend(reader.read(100)) or len(got) >= count,  # type: ignore[func-returns-value]
            within_seconds=60,
            what=f"{count} messages",
        )
        reader.commit(got)
    finally:
        consumer.close()
    return [message.offset() or 0 for message in got]


def test_a_topic_made_anew_stops_the_group_until_it_is_accepted(
    kafka: KafkaSettings, admin: AdminClient, tmp_path: Path
) -> None:
    send(kafka, 10)
    assert read(kafka, tmp_path, 10) == list(range(10))
    before = topic_log_of(kafka, TOPIC)
    delete(admin)
    create(admin)
    send(kafka, 20)  # longer than the old one
    after = topic_log_of(kafka, TOPIC)
    assert (before.ends, after.ends) == ({0: 10}, {0: 20})
    assert after.topic_id != before.topic_id
    with pytest.raises(TopicChanged, match=f"{TOPIC} was made anew"):
        read(kafka, tmp_path, 20)
    (tmp_path / f"{TOPIC}.json").write_text(ANEW)
    assert read(kafka, tmp_path, 20) == list(range(20))
    send(kafka, 1)
    assert read(kafka, tmp_path, 1) == [20], "accepted once, it is continued"


def test_a_position_beyond_the_end_stops_the_group_until_it_is_accepted(
    kafka: KafkaSettings, admin: AdminClient, tmp_path: Path
) -> None:
    assert admin is not None
    send(kafka, 5)
    read(kafka, tmp_path, 5)
    # As after a power cut: what was read is no longer on the broker.
    consumer = group_consumer(kafka, GROUP)
    consumer.commit(offsets=[TopicPartition(TOPIC, 0, 9)], asynchronous=False)
    consumer.close()
    with pytest.raises(TopicChanged, match=f"{TOPIC}-0 ends at offset 5.*continues at 9"):
        read(kafka, tmp_path, 1)
    (tmp_path / f"{TOPIC}.json").write_text(ANEW)
    assert read(kafka, tmp_path, 5) == list(range(5))


def test_a_group_goes_on_where_its_lost_messages_end_once_they_are_refilled(
    kafka: KafkaSettings, admin: AdminClient, tmp_path: Path
) -> None:
    send(kafka, 3)
    assert read(kafka, tmp_path, 3) == [0, 1, 2]
    send(kafka, 7)
    deleted = admin.delete_records([TopicPartition(TOPIC, 0, 6)], request_timeout=30)
    for one in deleted.values():
        one.result(60)
    with pytest.raises(TopicChanged, match=f"{TOPIC}-0 begins at offset 6.*continues at 3"):
        read(kafka, tmp_path, 1)
    known = known_topics(kafka, GROUP, tmp_path)
    positions = known.positions(TOPIC, lambda topic, _: committed_of(kafka, GROUP, topic))
    assert lost_ranges(positions, known.look_up(TOPIC).starts) == [OffsetRange(0, 3, 6)]
    known.continue_at(TOPIC, {0: 6})  # as refill-store does, once they are written
    assert read(kafka, tmp_path, 4) == [6, 7, 8, 9]
    send(kafka, 1)
    assert read(kafka, tmp_path, 1) == [10], "its own position counts again"


def test_a_canary_does_not_go_on_in_a_topic_made_anew(
    kafka: KafkaSettings, admin: AdminClient, tmp_path: Path
) -> None:
    def look_up(topic: str) -> TopicLog:
        return topic_log_of(kafka, TOPIC)._replace(topic=topic)

    send(kafka, 10)
    trial = CanaryTrial(
        model="m",
        champion="c",
        share_ratio=0.1,
        started_at_ms=1,
        positions={0: Position(10, 9)},
    )
    trial.topic_ids = check_trial(trial, look_up, tmp_path)
    assert check_trial(trial, look_up, tmp_path) == trial.topic_ids
    delete(admin)
    create(admin)
    send(kafka, 20)  # longer than the old one
    with pytest.raises(TopicChanged, match=f"made anew.*remove {tmp_path}"):
        check_trial(trial, look_up, tmp_path)


@pytest.mark.parametrize(
    ("user", "topic"),
    [
        ("persister", TRANSACTION_TOPIC),
        ("tally", TRANSACTION_TOPIC),
        ("tally", FRAUD_TOPIC),
        ("notifier", FRAUD_TOPIC),
        ("webhooks", FRAUD_TOPIC),
        ("shadow", FRAUD_TOPIC),
        ("shadow", FEATURE_TOPIC),
        ("shadow", TRANSACTION_TOPIC),
        ("detector", TRANSACTION_TOPIC),
        ("archiver", FRAUD_TOPIC),
    ],
)
def test_each_reader_may_look_its_topics_up(
    kafka_stack: PrivateStack, user: str, topic: str
) -> None:
    found = topic_log_of(kafka_stack.kafka(user), topic)
    assert found.topic_id
    assert found.starts.keys() == found.ends.keys() == {0, 1}
