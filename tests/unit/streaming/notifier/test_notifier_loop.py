"""The notifier's loop over a scripted consumer, and its settings."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from prometheus_client import REGISTRY
from pydantic import ValidationError

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.memory.notifications import MemoryNotificationStore
from fraudwatch.application.notifying.record_verdicts import RecordVerdicts
from fraudwatch.domain.messages.verdict import Risk
from fraudwatch.domain.notifications.customer_notice import NoticeTemplate
from fraudwatch.domain.notifications.staff_policy import StaffPolicy
from fraudwatch.samples import NOON_MS, a_verdict
from fraudwatch.topics import FRAUD_TOPIC
from streaming.notifier.loop import NotifierLoop
from streaming.notifier.settings import NotifierSettings


@dataclass(frozen=True)
class FakeMessage:
    """A message with the interface of the client's."""

    at_offset: int
    payload: bytes

    def topic(self) -> str:
        return FRAUD_TOPIC

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.at_offset

    def value(self) -> bytes:
        return self.payload

    def error(self) -> None:
        return None


@dataclass
class ScriptedConsumer:
    """A consumer that returns its batches one by one and records its calls in order."""

    batches: list[list[FakeMessage]]
    store: MemoryNotificationStore
    loop: NotifierLoop | None = None
    calls: list[str] = field(default_factory=list)

    def subscribe(self, topics: list[str], **_: object) -> None:
        assert topics == [FRAUD_TOPIC]

    def consume(self, *_: object, **__: object) -> list[FakeMessage]:
        if not self.batches:
            assert self.loop is not None
            self.loop.stopping.set()
            return []
        return self.batches.pop(0)

    def poll(self, *_: object) -> None:
        self.store.is_reachable = True

    def pause(self, *_: object) -> None:
        self.calls.append("pause")

    def resume(self, *_: object) -> None:
        self.calls.append("resume")

    def assignment(self) -> list[TopicPartition]:
        return [TopicPartition(FRAUD_TOPIC, 0)]

    def commit(self, offsets: list[TopicPartition], **_: object) -> None:
        pending = len(self.store.pending("mail"))
        self.calls += [f"commit {p.offset} with {pending} recorded" for p in offsets]


def run(store: MemoryNotificationStore, *batches: list[FakeMessage]) -> list[str]:
    consumer = ScriptedConsumer(list(batches), store)
    recording = RecordVerdicts(store, StaffPolicy(), ["mail"], frozenset(), lambda: NOON_MS)
    loop = NotifierLoop(
        consumer,  # type: ignore[arg-type]
        recording,
        max_records=10,
        poll_seconds=0.0,
    )
    consumer.loop = loop
    loop.run()
    return consumer.calls


def high(at_offset: int) -> FakeMessage:
    verdict = a_verdict(transaction_id=f"shop:{at_offset}", risk=Risk.HIGH)
    return FakeMessage(at_offset, encode(verdict))


def test_an_offset_is_committed_after_its_verdict_is_recorded() -> None:
    store = MemoryNotificationStore()
    assert run(store, [high(0), high(1)], [high(2)]) == [
        "commit 2 with 2 recorded",
        "commit 3 with 3 recorded",
    ]


def test_consumption_pauses_while_the_state_cannot_be_written() -> None:
    store = MemoryNotificationStore()
    store.is_reachable = False
    assert run(store, [high(0)]) == ["pause", "resume", "commit 1 with 1 recorded"]


def test_an_invalid_message_is_skipped_and_counted() -> None:
    name = "fraudwatch_notifier_unreadable_total"
    before = REGISTRY.get_sample_value(name) or 0.0
    broken = json.loads(encode(a_verdict())) | {"score": 7}
    store = MemoryNotificationStore()
    messages = [FakeMessage(0, b"{"), FakeMessage(1, json.dumps(broken).encode()), high(2)]
    assert run(store, messages) == ["commit 3 with 1 recorded"]
    assert REGISTRY.get_sample_value(name) == before + 2


def settings(**changes: Any) -> NotifierSettings:
    usual = {
        "state_path": Path("state.sqlite3"),
        "mail_from": "alerts@example.test",
        "mail_to": "analysts@example.test",
        "console_url": "http://127.0.0.1:8501",
        "customer_events": "declined",
        "edge_url": "http://127.0.0.1:8001",
        "edge_api_key": "0123456789abcdef01234567",
    }
    return NotifierSettings(**{**usual, **changes})


def test_settings_become_the_policy() -> None:
    found = settings(
        quiet_hours="22:00-07:00",
        time_zone="Europe/Berlin",
        critical_in_quiet_hours="wait",
        customer_events="declined,reviewed",
        digest_size=7,
    )
    policy = found.policy()
    assert (policy.digest_size, policy.critical_in_quiet_hours) == (7, False)
    assert policy.quiet_hours is not None
    assert (policy.quiet_hours.start_minute, policy.quiet_hours.end_minute) == (1_320, 420)
    assert found.customer_events == frozenset(NoticeTemplate)
    assert settings(customer_events="none").customer_events == frozenset()
    assert settings().quiet() is None
    assert settings().chat() is None


@pytest.mark.parametrize(
    "changes",
    [
        {"quiet_hours": "late"},
        {"chat_url": "http://chat.example/secret-path"},
        {"customer_events": "fired"},
        {"critical_in_quiet_hours": "maybe"},
        {"digest_seconds": 0},
    ],
)
def test_an_invalid_setting_is_refused_and_no_secret_quoted(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as found:
        settings(**changes)
    assert "secret-path" not in str(found.value)
