"""Contract of the log of alerts: memory twin and real Kafka."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.memory.alert_log import MemoryAlertLog
from fraudwatch.application.alert_stream import (
    AlertHistory,
    LogEntry,
    LogPosition,
    RetentionExceeded,
)
from fraudwatch.application.console.alerts import alert_of, is_alert
from fraudwatch.domain.messages.verdict import Outcome, Verdict
from fraudwatch.samples import a_token, a_verdict
from tests.waiting import eventually

if TYPE_CHECKING:
    from fraudwatch.stack.private_stack import PrivateStack


@dataclass(frozen=True)
class Log:
    """A log under test: append verdicts, ask for its end, forget everything before a position."""

    history: AlertHistory
    append: Callable[[Sequence[Verdict]], None]
    end: Callable[[], LogPosition]
    forget: Callable[[LogPosition], None]


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.engines)])
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    if request.param == "memory":
        memory = MemoryAlertLog()

        def append(verdicts: Sequence[Verdict]) -> None:
            for one in verdicts:
                memory.append(
                    ord(one.customer_token[-1]) % 2, alert_of(one) if is_alert(one) else None
                )

        def forget(position: LogPosition) -> None:
            memory.starts.update(position.offsets)

        yield Log(memory, append, lambda: memory.end, forget)
        return
    yield kafka_log(request.getfixturevalue("kafka_stack"))


def kafka_log(stack: PrivateStack) -> Log:
    from confluent_kafka import TopicPartition
    from confluent_kafka.admin import AdminClient

    from fraudwatch.adapters.kafka_log.alert_log import KafkaAlertHistory
    from fraudwatch.adapters.kafka_log.ends import ends_of
    from fraudwatch.adapters.kafka_log.log import KafkaTopic, client_config
    from fraudwatch.topics import FRAUD_TOPIC

    admin = stack.kafka("admin")
    topic = KafkaTopic(admin, FRAUD_TOPIC)

    def forget(position: LogPosition) -> None:
        wanted = [TopicPartition(FRAUD_TOPIC, *one) for one in position.offsets.items()]
        # Named, so that it is not collected before the broker has answered.
        client = AdminClient(client_config(admin))
        for done in client.delete_records(wanted).values():
            done.result(120)

    return Log(
        KafkaAlertHistory(stack.kafka("rest_api")),
        lambda verdicts: topic.publish([(v.customer_token, encode(v), 0) for v in verdicts]),
        lambda: LogPosition(ends_of(admin, FRAUD_TOPIC)),
        forget,
    )


def verdicts(count: int) -> list[Verdict]:
    return [
        a_verdict(
            transaction_id=f"test:{uuid.uuid4().hex}",
            customer_token=a_token("abcdefghij"[n % 10]),
            outcome=Outcome.REVIEW if n % 3 else Outcome.APPROVE,
        )
        for n in range(count)
    ]


def read(log: Log, start: LogPosition, end: LogPosition) -> list[LogEntry]:
    return [entry for entries in log.history.between(start, end) for entry in entries]


def test_everything_between_two_positions_is_read_once_in_order(log: Log) -> None:
    start = log.end()
    written = verdicts(40)
    log.append(written)
    end = log.end()
    entries = read(log, start, end)
    assert len(entries) == start.messages_until(end) == 40
    assert [one.alert for one in entries].count(None) == 14
    found = {one.alert.transaction_id: one.alert for one in entries if one.alert}
    assert found == {v.transaction_id: alert_of(v) for v in written if is_alert(v)}
    for number in start.offsets:
        offsets = [one.offset for one in entries if one.partition == number]
        assert offsets == list(range(start.offsets[number], end.offsets[number]))


def test_reading_continues_after_any_entry(log: Log) -> None:
    start = log.end()
    log.append(verdicts(9))
    end = log.end()
    entries = read(log, start, end)
    for count in range(len(entries) + 1):
        position = start
        for entry in entries[:count]:
            position = position.after(entry.partition, entry.offset)
        assert read(log, position, end) == entries[count:]


def test_nothing_is_between_a_position_and_itself(log: Log) -> None:
    assert read(log, log.end(), log.end()) == []


def test_what_retention_has_removed_is_not_skipped_silently(log: Log) -> None:
    start = log.end()
    log.append(verdicts(12))
    end = log.end()
    log.history.require_stored(start)
    log.forget(end)
    with pytest.raises(RetentionExceeded):
        log.history.require_stored(start)
    with pytest.raises(RetentionExceeded):
        read(log, start, end)
    log.history.require_stored(end)


@pytest.mark.engines
def test_the_tail_hands_over_every_message_from_its_start_on(kafka_stack: PrivateStack) -> None:
    from fraudwatch.adapters.kafka_log.alert_log import KafkaAlertTail

    log = kafka_log(kafka_stack)
    log.append(verdicts(3))
    started: list[LogPosition] = []
    entries: list[LogEntry] = []
    ready = threading.Event()

    def start(position: LogPosition) -> None:
        started.append(position)
        ready.set()

    tail = KafkaAlertTail(kafka_stack.kafka("rest_api"), start, entries.extend)
    tail.start()
    try:
        assert ready.wait(60)
        written = verdicts(25)
        log.append(written)
        eventually(lambda: len(entries) >= 25, within_seconds=30, what="the tail's messages")
    finally:
        tail.stop()
        tail.join(30)
    alerts = {one.alert.transaction_id for one in entries if one.alert}
    assert alerts == {v.transaction_id for v in written if is_alert(v)}
    position = started[0]
    for entry in entries:
        assert entry.offset == position.offsets[entry.partition]
        position = position.after(entry.partition, entry.offset)
    assert position == log.end()
