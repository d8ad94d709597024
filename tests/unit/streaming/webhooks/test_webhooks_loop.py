"""The webhooks' loop over a scripted consumer, and its settings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from prometheus_client import REGISTRY
from pydantic import ValidationError

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.webhooks.events import Event
from fraudwatch.samples import NOON_MS, a_verdict
from fraudwatch.topics import FRAUD_TOPIC, LABELS_TOPIC
from streaming.webhooks.loop import WebhooksLoop
from streaming.webhooks.settings import WebhooksSettings


@dataclass(frozen=True)
class FakeMessage:
    """A message with the interface of the client's."""

    at_offset: int
    payload: bytes
    of_topic: str = FRAUD_TOPIC

    def topic(self) -> str:
        return self.of_topic

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.at_offset

    def value(self) -> bytes:
        return self.payload

    def timestamp(self) -> tuple[int, int]:
        return 1, NOON_MS + self.at_offset

    def error(self) -> None:
        return None


@dataclass
class FakeRecording:
    """Records the events' kinds and times, and can be unavailable."""

    is_reachable: bool = True
    recorded: list[tuple[str, str, int]] = field(default_factory=list)

    def record(self, events: Sequence[Event]) -> int:
        if not self.is_reachable:
            raise StoreUnavailable("the disk is full")
        self.recorded += [(one.kind, one.transaction_id, one.published_at_ms) for one in events]
        return len(events)


@dataclass
class ScriptedConsumer:
    """A consumer that returns its batches one by one and records its calls in order."""

    batches: list[list[FakeMessage]]
    recording: FakeRecording
    loop: WebhooksLoop | None = None
    calls: list[str] = field(default_factory=list)

    def subscribe(self, topics: list[str], **_: object) -> None:
        assert topics == [FRAUD_TOPIC, LABELS_TOPIC]

    def consume(self, *_: object, **__: object) -> list[FakeMessage]:
        if not self.batches:
            assert self.loop is not None
            self.loop.stopping.set()
            return []
        return self.batches.pop(0)

    def poll(self, *_: object) -> None:
        self.recording.is_reachable = True

    def pause(self, *_: object) -> None:
        self.calls.append("pause")

    def resume(self, *_: object) -> None:
        self.calls.append("resume")

    def assignment(self) -> list[TopicPartition]:
        return [TopicPartition(FRAUD_TOPIC, 0), TopicPartition(LABELS_TOPIC, 0)]

    def commit(self, offsets: list[TopicPartition], **_: object) -> None:
        recorded = len(self.recording.recorded)
        self.calls += [f"commit {p.topic} {p.offset} with {recorded} recorded" for p in offsets]


def run(recording: FakeRecording, *batches: list[FakeMessage]) -> list[str]:
    consumer = ScriptedConsumer(list(batches), recording)
    loop = WebhooksLoop(
        consumer,  # type: ignore[arg-type]
        recording,  # type: ignore[arg-type]
        max_records=10,
        poll_seconds=0.0,
    )
    consumer.loop = loop
    loop.run()
    return consumer.calls


def a_message(at_offset: int, outcome: Outcome = Outcome.REVIEW) -> FakeMessage:
    verdict = a_verdict(transaction_id=f"shop:{at_offset}", outcome=outcome)
    return FakeMessage(at_offset, encode(verdict))


def a_label(at_offset: int, value: LabelValue = LabelValue.FRAUD) -> FakeMessage:
    label = Label(
        schema=LABEL_SCHEMA,
        transaction_id=f"shop:{at_offset}",
        verdict=value,
        source=Source.ANALYST,
        by="lina",
        known_at_ms=NOON_MS,
    )
    return FakeMessage(at_offset, encode(label), LABELS_TOPIC)


def test_offsets_of_both_topics_are_committed_after_their_events_are_recorded() -> None:
    recording = FakeRecording()
    assert run(recording, [a_message(0), a_label(4)], [a_message(1, Outcome.APPROVE)]) == [
        f"commit {FRAUD_TOPIC} 1 with 2 recorded",
        f"commit {LABELS_TOPIC} 5 with 2 recorded",
        f"commit {FRAUD_TOPIC} 2 with 2 recorded",
    ]
    assert recording.recorded == [
        ("verdict", "shop:0", NOON_MS),
        ("decision", "shop:4", NOON_MS + 4),
    ]


def test_consumption_pauses_while_nothing_can_be_recorded() -> None:
    recording = FakeRecording(is_reachable=False)
    assert run(recording, [a_message(0)]) == [
        "pause",
        "resume",
        f"commit {FRAUD_TOPIC} 1 with 1 recorded",
    ]


def test_an_invalid_message_is_skipped_and_counted() -> None:
    name = "fraudwatch_webhooks_unreadable_total"
    before = REGISTRY.get_sample_value(name) or 0.0
    broken = json.loads(encode(a_verdict())) | {"score": 7}
    recording = FakeRecording()
    run(
        recording,
        [
            FakeMessage(0, b"{"),
            FakeMessage(1, json.dumps(broken).encode()),
            FakeMessage(0, b"[]", LABELS_TOPIC),
            a_message(2),
            a_label(3, LabelValue.UNSURE),
        ],
    )
    assert [one[1] for one in recording.recorded] == ["shop:2"]
    assert REGISTRY.get_sample_value(name) == before + 3


def test_settings_become_the_policy_and_refuse_loopback_by_default() -> None:
    found = WebhooksSettings(subscriptions_path=Path("s"), outbox_path=Path("o"), max_attempts=3)
    assert not found.allow_loopback
    assert (found.policy().max_attempts, found.policy().give_up_seconds) == (3, 86_400)
    with pytest.raises(ValidationError):
        WebhooksSettings(subscriptions_path=Path("s"), outbox_path=Path("o"), keep_days=0)
