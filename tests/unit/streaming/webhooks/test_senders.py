"""Threads and upkeep of the webhooks, over a real outbox."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from fraudwatch.adapters.webhooks.sqlite_outbox import SqliteOutbox
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.application.webhooks.delivery import Delivery
from fraudwatch.application.webhooks.ports import DeliveryFailed, NewEvent, QueuedEvent
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.domain.webhooks.delivery_state import FailureReason
from fraudwatch.domain.webhooks.retry_policy import RetryPolicy
from fraudwatch.domain.webhooks.subscription import EventKind, SigningSecret, Subscription
from fraudwatch.samples import NOON_MS
from streaming.webhooks.senders import Senders
from streaming.webhooks.upkeep import Upkeep
from tests.waiting import eventually


def a_subscription(name: str) -> Subscription:
    return Subscription(
        subscription_id=name,
        client=name,
        url=f"https://{name}.example/",
        events=(EventKind.VERDICT,),
        sources=(),
        secrets=(SigningSecret("whsec_a"),),
        created_at_ms=NOON_MS,
    )


class World:
    """Subscriptions, an outbox and clients of which some hang or fail."""

    def __init__(self, folder: Path) -> None:
        self.outbox = SqliteOutbox(folder / "outbox.sqlite3")
        self.subscriptions: dict[str, Subscription] = {}
        self.got: list[tuple[str, str]] = []
        self.failing: set[str] = set()
        self.hanging = threading.Event()
        self.is_readable = True
        self.now = NOON_MS
        self.stopping = threading.Event()
        policy = RetryPolicy(
            max_attempts=2, first_pause_seconds=0.01, first_subscription_pause_seconds=0.01
        )
        self.senders = Senders(
            self,
            lambda: Delivery(self.outbox, self, policy, self.clock, lambda: 1.0),
            self.stopping,
        )

    def clock(self) -> int:
        self.now += 10
        return self.now

    def current(self) -> dict[str, Subscription]:
        if not self.is_readable:
            raise StoreUnavailable("the file is damaged")
        return dict(self.subscriptions)

    def send(self, subscription: Subscription, event: QueuedEvent, _now_ms: int) -> None:
        if subscription.subscription_id == "hangs":
            self.hanging.wait(30)
        if subscription.subscription_id in self.failing:
            raise DeliveryFailed(FailureReason.SERVER_ERROR, "500")
        self.got.append((subscription.subscription_id, event.webhook_id))

    def add(self, name: str, number: int) -> None:
        event = NewEvent(
            subscription_id=name,
            webhook_id=f"{name}-{number}",
            kind=EventKind.VERDICT,
            transaction_id=f"shop:{number}",
            customer_token="a",
            body=b"{}",
        )
        self.outbox.add([event], self.now)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.hanging.set()
    made.subscriptions.clear()
    made.is_readable = True
    made.senders.sync()


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"fraudwatch_webhooks_{name}", labels)


def test_a_client_that_hangs_holds_back_no_other(world: World) -> None:
    for name in ("hangs", "works"):
        world.subscriptions[name] = a_subscription(name)
        world.add(name, 1)
    world.senders.sync()
    eventually(lambda: world.got == [("works", "works-1")], within_seconds=10, what="the other")
    eventually(
        lambda: value("delivered_total", subscription="works") == 1,
        within_seconds=10,
        what="the count of it",
    )
    world.hanging.set()
    eventually(lambda: len(world.got) == 2, within_seconds=10, what="the one that hung")


def test_failures_and_dead_letters_are_counted_by_reason(world: World) -> None:
    world.subscriptions["fails"] = a_subscription("fails")
    world.failing.add("fails")
    world.add("fails", 1)
    world.senders.sync()
    labels = {"subscription": "fails", "reason": "server_error"}
    eventually(
        lambda: value("dead_lettered_total", **labels) == 1, within_seconds=10, what="the give-up"
    )
    assert value("failures_total", **labels) == 2
    assert value("failing", subscription="fails") == 1
    assert value("dead_lettered_total", subscription="fails", reason="too_old") == 0
    world.failing.clear()
    world.add("fails", 2)
    eventually(
        lambda: value("failing", subscription="fails") == 0, within_seconds=10, what="a success"
    )


def test_a_removed_subscription_gets_nothing_more_and_has_no_series(world: World) -> None:
    world.subscriptions["leaves"] = a_subscription("leaves")
    world.senders.sync()
    assert value("failing", subscription="leaves") == 0
    world.subscriptions.clear()
    world.senders.sync()
    assert value("failing", subscription="leaves") is None
    world.add("leaves", 1)
    world.subscriptions["leaves"] = a_subscription("leaves")
    world.senders.sync()
    eventually(lambda: world.got == [("leaves", "leaves-1")], within_seconds=10, what="a new start")


def test_upkeep_publishes_queues_and_counts_what_it_drops(world: World) -> None:
    upkeep = Upkeep(world.outbox, world, lambda: world.now, keep_days=1, max_events=2)
    world.subscriptions["slow"] = a_subscription("slow")
    for number in range(2):
        world.add("slow", number)
    world.now += 5_000
    upkeep.once()
    assert value("waiting", subscription="slow") == 2
    assert value("oldest_waiting_seconds", subscription="slow") == 5
    dropped = value("dropped_total", state="waiting") or 0.0
    world.add("slow", 3)
    upkeep.once()
    assert value("dropped_total", state="waiting") == dropped + 1
    dead = value("dropped_total", state="dead") or 0.0
    world.outbox.give_up("slow-1", world.now, "timeout")
    world.now += DAY_MS + 1
    upkeep.once()
    assert value("dropped_total", state="dead") == dead + 1
    world.subscriptions.clear()
    upkeep.once()
    assert value("waiting", subscription="slow") is None
    assert world.outbox.queue_lengths() == {}


def test_nothing_is_deleted_while_the_subscriptions_cannot_be_read(world: World) -> None:
    upkeep = Upkeep(world.outbox, world, lambda: world.now, keep_days=1, max_events=2)
    world.add("slow", 1)
    world.is_readable = False
    with pytest.raises(StoreUnavailable):
        upkeep.once()
    assert world.outbox.queue_lengths()["slow"].waiting == 1


def test_events_of_a_subscription_that_is_added_meanwhile_are_kept(world: World) -> None:
    class AddedMeanwhile:
        """Subscriptions as they were just before another one was added and got an event."""

        def current(self) -> dict[str, Subscription]:
            world.add("new", 1)
            return {}

    upkeep = Upkeep(world.outbox, AddedMeanwhile(), lambda: world.now, keep_days=1, max_events=2)
    upkeep.once()
    assert world.outbox.queue_lengths()["new"].waiting == 1
