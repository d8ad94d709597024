"""Recording and delivering events over a real outbox and a scripted client."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.webhooks.sqlite_outbox import SqliteOutbox
from fraudwatch.application.webhooks.delivery import Delivery, Step, StepKind
from fraudwatch.application.webhooks.ports import DeliveryFailed, QueuedEvent
from fraudwatch.application.webhooks.record_events import RecordEvents
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.webhooks.delivery_state import FailureReason
from fraudwatch.domain.webhooks.events import Event, decision_event, verdict_event
from fraudwatch.domain.webhooks.retry_policy import RetryPolicy
from fraudwatch.domain.webhooks.subscription import EventKind, SigningSecret, Subscription
from fraudwatch.samples import NOON_MS, a_token, a_verdict

SHOP = Subscription(
    subscription_id="shop",
    client="shop",
    url="https://shop.example/hooks",
    events=tuple(EventKind),
    sources=(),
    secrets=(SigningSecret("whsec_a"),),
    created_at_ms=NOON_MS,
)
POLICY = RetryPolicy(max_attempts=3, give_up_seconds=100)


class Killed(Exception):
    """The process was killed after the client's acknowledgement."""


@dataclass
class Client:
    """A client that acknowledges, unless it is scripted otherwise."""

    got: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    is_down: bool = False
    kills_next: bool = False
    retry_after_seconds: float = 0.0

    def send(self, _subscription: Subscription, event: QueuedEvent, _now_ms: int) -> None:
        if self.is_down or event.webhook_id in self.refused:
            raise DeliveryFailed(
                FailureReason.SERVER_ERROR, "500", retry_after_seconds=self.retry_after_seconds
            )
        self.got.append(event.webhook_id)
        if self.kills_next:
            self.kills_next = False
            raise Killed


class World:
    """One subscription, its outbox and a clock."""

    def __init__(self, folder: Path, *subscriptions: Subscription) -> None:
        self.now = NOON_MS
        self.client = Client()
        self.outbox = SqliteOutbox(folder / "outbox.sqlite3")
        self.subscriptions = {one.subscription_id: one for one in subscriptions or (SHOP,)}
        self.delivery = self.started()

    def current(self) -> dict[str, Subscription]:
        return self.subscriptions

    def started(self) -> Delivery:
        return Delivery(self.outbox, self.client, POLICY, lambda: self.now, lambda: 1.0)

    def record(self, *events: Event) -> int:
        recording = RecordEvents(self.outbox, self, encode, lambda: self.now)
        return recording.record(events)

    def step(self) -> Step:
        return self.delivery.step(SHOP)

    def deliver(self) -> None:
        while self.step().kind is not StepKind.IDLE:
            pass


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def verdict(number: int, customer: str = "a", published_at_ms: int = NOON_MS) -> Event:
    found = verdict_event(
        a_verdict(transaction_id=f"shop:{number}", customer_token=a_token(customer)),
        published_at_ms,
    )
    assert found is not None
    return found


def decision(number: int) -> Event:
    label = Label(
        schema=LABEL_SCHEMA,
        transaction_id=f"shop:{number}",
        verdict=LabelValue.FRAUD,
        source=Source.ANALYST,
        by="lina",
        known_at_ms=NOON_MS,
    )
    found = decision_event(label, NOON_MS)
    assert found is not None
    return found


def ids(*events: Event) -> list[str]:
    return [one.webhook_id("shop") for one in events]


def test_a_repeated_message_is_one_event(world: World) -> None:
    assert world.record(verdict(1), verdict(2)) == 2
    assert world.record(verdict(1)) == 0
    world.deliver()
    assert world.client.got == ids(verdict(1), verdict(2))


def test_each_subscription_gets_its_kinds_and_sources_from_its_beginning(tmp_path: Path) -> None:
    world = World(
        tmp_path,
        replace(SHOP, subscription_id="verdicts", events=(EventKind.VERDICT,)),
        replace(SHOP, subscription_id="bank", sources=("bank",)),
        replace(SHOP, subscription_id="later", created_at_ms=NOON_MS + 1),
    )
    assert world.record(verdict(1), decision(1), verdict(2, published_at_ms=NOON_MS + 1)) == 3
    assert {k: v.waiting for k, v in world.outbox.queue_lengths().items()} == {
        "verdicts": 2,
        "later": 1,
    }


def test_a_decision_is_behind_its_verdict_though_it_was_read_first(world: World) -> None:
    world.record(decision(1), verdict(1))
    world.deliver()
    assert world.client.got == ids(verdict(1), decision(1))


def test_a_kill_after_the_acknowledgement_sends_the_same_id_again(world: World) -> None:
    world.record(verdict(1), verdict(2))
    world.client.kills_next = True
    with pytest.raises(Killed):
        world.step()
    world.delivery = world.started()
    world.deliver()
    assert world.client.got == ids(verdict(1), verdict(1), verdict(2))


def test_a_refused_event_holds_back_its_customer_until_it_is_dead(world: World) -> None:
    first, second, other = verdict(1, "a"), verdict(2, "a"), verdict(3, "b")
    world.record(first, second, other)
    world.client.refused = set(ids(first))
    assert world.step().kind is StepKind.FAILED
    world.deliver()
    assert world.client.got == ids(other)
    world.now += 5_000
    assert world.step().kind is StepKind.FAILED
    world.now += 9_999
    assert world.step().kind is StepKind.IDLE
    world.now += 1
    assert world.step().kind is StepKind.DEAD_LETTERED
    world.deliver()
    assert world.client.got == ids(other, second)
    assert [one.webhook_id for one in world.outbox.dead_events(None, 9)] == ids(first)
    world.client.refused.clear()
    assert world.outbox.replay("shop", 0, world.now, dead_only=True) == 1
    world.deliver()
    assert world.client.got == ids(other, second, first)


def test_a_client_that_is_down_gets_fewer_and_fewer_requests(world: World) -> None:
    world.record(*(verdict(n, customer) for n, customer in enumerate("abcdef")))
    world.client.is_down = True
    assert [world.step().pause_seconds for _ in range(5)] == [1, 2, 4, 8, 16]
    world.client.is_down = False
    assert world.step().kind is StepKind.DELIVERED
    world.client.is_down = True
    world.now += 60_000
    assert world.step().pause_seconds == 1


def test_the_pause_that_the_client_asks_for_counts_for_the_event_too(world: World) -> None:
    world.record(verdict(1))
    world.client.is_down, world.client.retry_after_seconds = True, 50.0
    assert world.step().pause_seconds == 50
    world.now += 49_999
    assert world.step().kind is StepKind.IDLE
    world.now += 1
    assert world.step().kind is StepKind.FAILED


def test_what_waits_too_long_behind_a_client_that_is_down_is_given_up(world: World) -> None:
    world.record(*(verdict(n, customer) for n, customer in enumerate("abcdefgh")))
    world.client.is_down = True
    world.now += 100_000
    kept = verdict(9, "i")
    world.record(kept)
    steps = [world.step() for _ in range(5)]
    assert [one.too_old_count for one in steps] == [0, 0, 0, 0, 3]
    assert {one.kind for one in steps} == {StepKind.DEAD_LETTERED}
    world.client.is_down = False
    world.deliver()
    assert world.client.got == ids(kept)
    assert len(world.outbox.dead_events(None, 99)) == 8


def test_events_that_waited_while_the_service_was_stopped_are_delivered(world: World) -> None:
    world.record(verdict(1), verdict(2))
    world.now += 1_000_000_000
    world.deliver()
    assert world.client.got == ids(verdict(1), verdict(2))


@settings(max_examples=40, deadline=None)
@given(
    customers=st.lists(st.sampled_from("abc"), min_size=1, max_size=12),
    failures=st.lists(st.sampled_from(["ok", "fail", "kill"]), max_size=25),
)
def test_whatever_fails_every_event_comes_and_first_in_its_customers_order(
    tmp_path_factory: pytest.TempPathFactory, customers: list[str], failures: list[str]
) -> None:
    world = World(tmp_path_factory.mktemp("outbox"))
    generous = RetryPolicy(max_attempts=1_000)
    events = [verdict(n, customer) for n, customer in enumerate(customers)]
    world.record(*events)

    def started() -> Delivery:
        return Delivery(world.outbox, world.client, generous, lambda: world.now, lambda: 1.0)

    delivery = started()
    for what in [*failures, *["ok"] * 60]:
        world.client.is_down, world.client.kills_next = what == "fail", what == "kill"
        try:
            delivery.step(SHOP)
        except Killed:
            delivery = started()
        world.now += 4_000_000
    assert set(world.client.got) == set(ids(*events))
    for customer in set(customers):
        own = ids(*(e for e, c in zip(events, customers, strict=True) if c == customer))
        assert list(dict.fromkeys(one for one in world.client.got if one in own)) == own
