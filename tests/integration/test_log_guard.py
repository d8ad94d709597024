"""The log guard's rights on a real broker; nothing is deleted: other tests use the topics."""

from __future__ import annotations

import pytest

from fraudwatch.adapters.kafka_log.ends import commit_ends, starts_of
from fraudwatch.adapters.kafka_log.positions import BrokerUnavailable, KafkaPositions, Partition
from fraudwatch.adapters.kafka_log.record_deletion import RecordDeletion
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import ARCHIVE_GROUP, FEATURE_TOPIC, FRAUD_TOPIC, LABELS_TOPIC
from streaming.log_guard.guard import READERS

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300)]


@pytest.mark.parametrize("topic", READERS)
def test_the_guard_may_delete_in_its_topics(kafka_stack: PrivateStack, topic: str) -> None:
    kafka = kafka_stack.kafka("log_guard")
    starts = starts_of(kafka, topic)
    RecordDeletion(kafka).delete_before(topic, starts)
    assert starts_of(kafka, topic) == starts


@pytest.mark.parametrize(
    ("user", "topic"), [("log_guard", LABELS_TOPIC), ("persister", FRAUD_TOPIC)]
)
def test_no_other_user_may_delete_and_the_guard_nowhere_else(
    kafka_stack: PrivateStack, user: str, topic: str
) -> None:
    starts = starts_of(kafka_stack.kafka("admin"), topic)
    with pytest.raises(BrokerUnavailable, match="could not be deleted"):
        RecordDeletion(kafka_stack.kafka(user)).delete_before(topic, starts)


def test_the_guard_sees_what_the_archive_has(kafka_stack: PrivateStack) -> None:
    archiver = kafka_stack.kafka("archiver")
    starts = starts_of(archiver, FEATURE_TOPIC)
    commit_ends(archiver, ARCHIVE_GROUP, FEATURE_TOPIC, starts)
    committed = KafkaPositions(kafka_stack.kafka("log_guard")).committed()
    found = committed[ARCHIVE_GROUP]
    assert {number: found[Partition(FEATURE_TOPIC, number)] for number in starts} == starts
