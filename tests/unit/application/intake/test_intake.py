from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.adapters.memory.verdict_store import MemoryDeadLetters, MemoryTopic
from fraudwatch.application.intake.admit import Edge
from fraudwatch.application.intake.intake import FeedItem, Intake, OtherContent, RefusedBatch
from fraudwatch.application.intake.message_builders import label_builder, purchase_builder
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Problem, problems
from fraudwatch.domain.messages.label import Label, LabelValue, ReportedLabel, Source
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.money import RateTable
from fraudwatch.samples import NOON_MS, a_purchase


@pytest.fixture
def topic() -> MemoryTopic:
    return MemoryTopic()


@pytest.fixture
def dead_letters() -> MemoryDeadLetters:
    return MemoryDeadLetters()


@pytest.fixture
def intake(tmp_path: Path, topic: MemoryTopic, dead_letters: MemoryDeadLetters) -> Intake[Purchase]:
    edge = Edge(TinkVault(tmp_path), RateTable([]))
    return Intake(purchase_builder(edge, encode), topic, dead_letters, lambda: NOON_MS)


def ids(topic: MemoryTopic) -> list[str]:
    return [decode(Transaction, value).transaction_id for _, value, _ in topic.messages]


def test_a_batch_is_published_in_order_keyed_by_customer(
    intake: Intake[Purchase], topic: MemoryTopic
) -> None:
    result = intake.submit([a_purchase(id="b"), a_purchase(id="a", customer_id="other")])
    assert (result.accepted, result.repeated) == (2, 0)
    assert ids(topic) == ["shop:b", "shop:a"]
    for key, value, produced_at_ms in topic.messages:
        assert key == decode(Transaction, value).customer_token
        assert produced_at_ms == NOON_MS


def test_a_repeated_purchase_is_counted_and_not_published(
    intake: Intake[Purchase], topic: MemoryTopic
) -> None:
    intake.submit([a_purchase(id="1")])
    result = intake.submit([a_purchase(id="1"), a_purchase(id="2"), a_purchase(id="2")])
    assert (result.accepted, result.repeated) == (1, 2)
    assert result.accepted_names == {"shop:2"}
    assert ids(topic) == ["shop:1", "shop:2"]


def test_one_bad_purchase_refuses_the_whole_batch(
    intake: Intake[Purchase], topic: MemoryTopic
) -> None:
    with pytest.raises(RefusedBatch) as refused:
        intake.submit([a_purchase(id="1"), a_purchase(id="2", amount_minor=-5)])
    assert list(refused.value.refused) == [1]
    assert topic.messages == []


def test_an_unacknowledged_batch_may_be_submitted_again(
    intake: Intake[Purchase], topic: MemoryTopic
) -> None:
    topic.is_reachable = False
    with pytest.raises(NotDelivered):
        intake.submit([a_purchase(id="1")])
    topic.is_reachable = True
    assert intake.submit([a_purchase(id="1")]).accepted == 1


def test_a_feeds_bad_messages_are_dead_lettered_and_the_good_ones_accepted(
    intake: Intake[Purchase], topic: MemoryTopic, dead_letters: MemoryDeadLetters
) -> None:
    unreadable = Refused(Code.NOT_JSON, [Problem("message", "is no JSON object")])
    result = intake.submit_feed(
        [
            FeedItem("feed:0", b"{}", a_purchase(id="1")),
            FeedItem("feed:1", b"garbage", unreadable),
            FeedItem("feed:2", b"{...}", a_purchase(id="2", currency="XXX")),
            FeedItem("feed:3", b"{}", a_purchase(id="3")),
        ]
    )
    assert result.accepted == 2
    assert ids(topic) == ["shop:1", "shop:3"]
    assert {o: dead_letter.code for o, dead_letter in dead_letters.records.items()} == {
        "feed:1": Code.NOT_JSON,
        "feed:2": Code.UNKNOWN_CURRENCY,
    }
    assert dead_letters.records["feed:1"].payload == b"garbage"


def a_report(**changes: Any) -> ReportedLabel:
    usual = ReportedLabel(
        source="shop", id="1", verdict=LabelValue.FRAUD, by="issuer", known_at_ms=NOON_MS - 1
    )
    return replace(usual, **changes)


def test_a_report_becomes_a_label_keyed_by_its_transaction(topic: MemoryTopic) -> None:
    intake = Intake(label_builder(encode), topic, MemoryDeadLetters(), lambda: NOON_MS)
    result = intake.submit([a_report(), a_report(), a_report(verdict=LabelValue.GENUINE)])
    assert (result.accepted, result.repeated) == (2, 1)
    found = [(key, decode(Label, value), at) for key, value, at in topic.messages]
    assert [(key, label.verdict, at) for key, label, at in found] == [
        ("shop:1", LabelValue.FRAUD, NOON_MS),
        ("shop:1", LabelValue.GENUINE, NOON_MS),
    ]
    for _, label, _ in found:
        assert (label.transaction_id, label.source) == ("shop:1", Source.CHARGEBACK)
        assert (label.by, label.known_at_ms) == ("issuer", NOON_MS - 1)
        assert problems(label) == []


class SlowTopic(MemoryTopic):
    """A topic whose broker acknowledges only when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.is_sending = threading.Semaphore(0)
        self.may_acknowledge = threading.Event()

    def publish(self, messages: Sequence[tuple[str, bytes, int]]) -> None:
        self.is_sending.release()
        assert self.may_acknowledge.wait(20)
        super().publish(messages)


@pytest.fixture
def slow_topic() -> SlowTopic:
    return SlowTopic()


@pytest.fixture
def slow_intake(
    tmp_path: Path, slow_topic: SlowTopic, dead_letters: MemoryDeadLetters
) -> Intake[Purchase]:
    edge = Edge(TinkVault(tmp_path), RateTable([]))
    return Intake(purchase_builder(edge, encode), slow_topic, dead_letters, lambda: NOON_MS)


def test_a_batch_does_not_wait_for_the_acknowledgement_of_another(
    slow_intake: Intake[Purchase], slow_topic: SlowTopic
) -> None:
    with ThreadPoolExecutor(3) as callers:
        first = callers.submit(slow_intake.submit, [a_purchase(id="1")])
        second = callers.submit(slow_intake.submit, [a_purchase(id="2")])
        # Both are on their way to the broker, and a refusal needs no broker at all.
        assert all(slow_topic.is_sending.acquire(timeout=20) for _ in range(2))
        with pytest.raises(RefusedBatch):
            slow_intake.submit([a_purchase(id="3", currency="XXX")])
        slow_topic.may_acknowledge.set()
        assert (first.result().accepted, second.result().accepted) == (1, 1)
    assert sorted(ids(slow_topic)) == ["shop:1", "shop:2"]


@pytest.mark.parametrize("amount_minor", [2_590, 1])
def test_a_repeat_waits_for_the_first_that_is_being_published(
    slow_intake: Intake[Purchase], slow_topic: SlowTopic, amount_minor: int
) -> None:
    with ThreadPoolExecutor(2) as callers:
        first = callers.submit(slow_intake.submit, [a_purchase(id="1")])
        assert slow_topic.is_sending.acquire(timeout=20)
        repeat = a_purchase(id="1", amount_minor=amount_minor)
        second = callers.submit(slow_intake.submit, [repeat])
        slow_topic.may_acknowledge.set()
        assert first.result().accepted == 1
        if amount_minor == 1:
            with pytest.raises(OtherContent):
                second.result()
        else:
            assert second.result().repeated == 1
    assert ids(slow_topic) == ["shop:1"]


def test_a_repeat_fails_with_the_first_and_its_name_is_free_again(
    slow_intake: Intake[Purchase], slow_topic: SlowTopic
) -> None:
    slow_topic.is_reachable = False
    with ThreadPoolExecutor(2) as callers:
        first = callers.submit(slow_intake.submit, [a_purchase(id="1")])
        assert slow_topic.is_sending.acquire(timeout=20)
        second = callers.submit(slow_intake.submit, [a_purchase(id="1")])
        slow_topic.may_acknowledge.set()
        for one in (first, second):
            with pytest.raises(NotDelivered):
                one.result()
    slow_topic.is_reachable = True
    assert slow_intake.submit([a_purchase(id="1")]).accepted == 1
