"""Workers: back-off by channel, refusals, and metrics of both."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from prometheus_client import REGISTRY

from fraudwatch.adapters.memory.notifications import MemoryNotificationStore
from fraudwatch.application.notifying.ports import (
    ChannelUnavailable,
    MessageRefused,
    StaffMessage,
)
from fraudwatch.application.notifying.staff_delivery import StaffDelivery
from fraudwatch.application.notifying.staff_texts import StaffTexts
from fraudwatch.domain.notifications.staff_policy import StaffPolicy
from fraudwatch.samples import NOON_MS, a_staff_alert, a_token
from streaming.notifier import workers
from streaming.notifier.workers import MAX_REFUSALS, StaffStep, Worker, staff_worker
from tests.waiting import eventually


@dataclass
class FakeChannel:
    """A channel that fails with an error as long as it is set."""

    name: str
    error: Exception | None = None
    attempts: list[StaffMessage] = field(default_factory=list)
    sent: list[StaffMessage] = field(default_factory=list)

    def send(self, message: StaffMessage) -> None:
        self.attempts.append(message)
        if self.error is not None:
            raise self.error
        self.sent.append(message)


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    monkeypatch.setattr(workers, "LONGEST_PAUSE_SECONDS", 0.02)
    event = threading.Event()
    yield event
    event.set()


def store_with(*customers: str) -> MemoryNotificationStore:
    store = MemoryNotificationStore()
    alerts = [a_staff_alert(verdict_id=name, customer_token=a_token(name)) for name in customers]
    store.add(alerts, [], channels=["mail", "chat"], now_ms=NOON_MS)
    return store


def delivery(store: MemoryNotificationStore, channel: FakeChannel) -> StaffDelivery:
    return StaffDelivery(store, channel, StaffPolicy(), StaffTexts("http://c"), lambda: NOON_MS)


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_failing_channel_blocks_no_other_and_sends_all_when_it_recovers(
    stopping: threading.Event,
) -> None:
    store = store_with("a", "b")
    mail = FakeChannel("mail", ChannelUnavailable("down"))
    chat = FakeChannel("chat")
    for channel in (mail, chat):
        staff_worker(delivery(store, channel), stopping).start()
    eventually(lambda: len(chat.sent) == 2, within_seconds=30, what="both chat messages")
    eventually(lambda: len(mail.attempts) >= 3, within_seconds=30, what="three attempts")
    assert value("fraudwatch_notifier_channel_failing", channel="mail") == 1
    assert value("fraudwatch_notifier_channel_failing", channel="chat") == 0
    assert {one.message_id for one in mail.attempts} == {mail.attempts[0].message_id}
    mail.error = None
    eventually(lambda: len(mail.sent) == 2, within_seconds=30, what="both mails")
    eventually(
        lambda: value("fraudwatch_notifier_channel_failing", channel="mail") == 0,
        within_seconds=30,
        what="the channel to be well",
    )


def test_a_message_that_is_refused_again_and_again_is_given_up_for_the_next() -> None:
    before = value("fraudwatch_notifier_given_up_total", channel="mail")
    mail = FakeChannel("mail", MessageRefused("spam"))
    step = StaffStep(delivery(store_with("a", "b"), mail))
    for _ in range(MAX_REFUSALS - 1):
        with pytest.raises(MessageRefused):
            step()
    assert step()
    assert len(mail.attempts) == MAX_REFUSALS
    assert value("fraudwatch_notifier_given_up_total", channel="mail") == before + 1
    mail.error = None
    assert step()
    assert [one.verdict_ids for one in mail.sent] == [("b",)]
    assert not step()


def test_a_worker_stops_while_its_channel_fails() -> None:
    stopping = threading.Event()

    def fail() -> bool:
        raise ChannelUnavailable("down")

    thread = Worker("mail", fail, stopping, idle_seconds=1.0).start()
    time.sleep(0.2)
    stopping.set()
    thread.join(timeout=20)
    assert not thread.is_alive()
