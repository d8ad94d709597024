"""The outbox and the subscriptions' file."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from fraudwatch.adapters.webhooks.sqlite_outbox import SqliteOutbox
from fraudwatch.adapters.webhooks.subscription_file import SubscriptionFile
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.application.webhooks.ports import NewEvent, QueueLength
from fraudwatch.domain.webhooks.delivery_state import EventState
from fraudwatch.domain.webhooks.subscription import EventKind, SigningSecret, Subscription
from fraudwatch.samples import NOON_MS

SHOP = Subscription(
    subscription_id="shop",
    client="shop",
    url="https://shop.example/hooks",
    events=(EventKind.VERDICT,),
    sources=("shop",),
    secrets=(SigningSecret("whsec_a", NOON_MS), SigningSecret("whsec_b")),
    created_at_ms=NOON_MS,
)


@pytest.fixture
def outbox(tmp_path: Path) -> SqliteOutbox:
    return SqliteOutbox(tmp_path / "webhooks/outbox.sqlite3")


def event(number: int, customer: str | None = "a", **changes: object) -> NewEvent:
    usual = NewEvent(
        subscription_id="shop",
        webhook_id=f"w-{number}",
        kind=EventKind.VERDICT,
        transaction_id=f"shop:{number}",
        customer_token=customer,
        body=b"{}",
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def due(outbox: SqliteOutbox, now_ms: int = NOON_MS, subscription_id: str = "shop") -> str | None:
    found = outbox.next_due(subscription_id, now_ms)
    return found.webhook_id if found else None


def drain(outbox: SqliteOutbox, now_ms: int = NOON_MS, subscription_id: str = "shop") -> list[str]:
    ids = []
    while (one := due(outbox, now_ms, subscription_id)) is not None:
        outbox.delivered(one, now_ms)
        ids.append(one)
    return ids


def test_an_event_is_added_once_and_the_file_is_private(
    outbox: SqliteOutbox, tmp_path: Path
) -> None:
    assert outbox.add([event(1), event(1), event(2)], NOON_MS) == 2
    assert outbox.add([event(2)], NOON_MS) == 0
    assert drain(outbox) == ["w-1", "w-2"]
    # A message that is consumed again is not sent again.
    assert outbox.add([event(1)], NOON_MS) == 0
    assert due(outbox) is None
    assert stat.S_IMODE((tmp_path / "webhooks/outbox.sqlite3").stat().st_mode) == 0o600


def test_a_failed_event_holds_back_its_customer_alone(outbox: SqliteOutbox) -> None:
    outbox.add([event(1, "a"), event(2, "a"), event(3, "b")], NOON_MS)
    outbox.add([event(4, "a", subscription_id="bank")], NOON_MS)
    outbox.retry_later("w-1", NOON_MS + 1_000, "server_error")
    assert drain(outbox) == ["w-3"]
    assert drain(outbox, subscription_id="bank") == ["w-4"]
    assert drain(outbox, NOON_MS + 1_000) == ["w-1", "w-2"]


def test_a_refused_event_that_is_due_again_waits_for_first_attempts(outbox: SqliteOutbox) -> None:
    outbox.add([event(1, "a"), event(2, "a"), event(3, "b")], NOON_MS)
    outbox.retry_later("w-1", NOON_MS, "server_error")
    assert drain(outbox) == ["w-3", "w-1", "w-2"]


def test_a_dead_event_lets_its_customer_go_on_and_is_listed(outbox: SqliteOutbox) -> None:
    outbox.add([event(1), event(2)], NOON_MS)
    outbox.retry_later("w-1", NOON_MS, "timeout")
    outbox.give_up("w-1", NOON_MS + 5, "client_error: 400")
    assert drain(outbox) == ["w-2"]
    [dead] = outbox.dead_events("shop", 10)
    assert (dead.webhook_id, dead.attempts, dead.failure) == ("w-1", 2, "client_error: 400")
    assert (dead.added_at_ms, dead.dead_at_ms) == (NOON_MS, NOON_MS + 5)
    assert outbox.dead_events("bank", 10) == []
    assert len(outbox.dead_events(None, 10)) == 1


def test_a_decision_joins_the_queue_of_its_purchase(outbox: SqliteOutbox) -> None:
    decision = {"kind": EventKind.DECISION, "customer_token": None}
    outbox.add([event(1, "a"), event(2, "b")], NOON_MS)
    outbox.add([event(9, transaction_id="shop:1", **decision)], NOON_MS)
    outbox.add([event(8, transaction_id="shop:unknown", **decision)], NOON_MS)
    outbox.retry_later("w-1", NOON_MS + 1_000, "timeout")
    assert drain(outbox) == ["w-2", "w-8"]
    assert drain(outbox, NOON_MS + 1_000) == ["w-1", "w-9"]


def test_a_replay_sends_the_same_ids_in_the_first_order(outbox: SqliteOutbox) -> None:
    outbox.add([event(1)], NOON_MS - 10)
    outbox.add([event(2), event(3)], NOON_MS)
    drain(outbox)
    outbox.add([event(4)], NOON_MS + 1)
    outbox.give_up("w-4", NOON_MS + 1, "timeout")
    outbox.add([event(5)], NOON_MS + 2)
    assert outbox.replay("bank", 0, NOON_MS, dead_only=False) == 0
    assert outbox.replay("shop", NOON_MS, NOON_MS + 3, dead_only=True) == 1
    assert drain(outbox, NOON_MS + 3) == ["w-4", "w-5"]
    assert outbox.replay("shop", NOON_MS, NOON_MS + 4, dead_only=False) == 4
    queued = outbox.next_due("shop", NOON_MS + 4)
    assert queued is not None
    # Its time and its attempts begin anew, or it would be given up at its first failure.
    assert (queued.attempts, queued.queued_at_ms) == (0, NOON_MS + 4)
    assert drain(outbox, NOON_MS + 4) == ["w-2", "w-3", "w-4", "w-5"]


def test_old_waiting_events_are_given_up_together(outbox: SqliteOutbox) -> None:
    outbox.add([event(1), event(2, "b")], NOON_MS)
    outbox.add([event(3)], NOON_MS + 10)
    assert outbox.give_up_queued_before("shop", NOON_MS, NOON_MS + 20) == 2
    assert drain(outbox, NOON_MS + 20) == ["w-3"]
    assert {one.failure for one in outbox.dead_events(None, 10)} == {"too_old"}


def test_the_outbox_is_bounded_by_age_number_and_subscription(outbox: SqliteOutbox) -> None:
    outbox.add([event(n) for n in range(5)], NOON_MS)
    outbox.add([event(10, subscription_id="removed")], NOON_MS)
    outbox.delivered("w-0", NOON_MS)
    outbox.give_up("w-1", NOON_MS, "timeout")
    assert outbox.subscription_ids() == {"shop", "removed"}
    kept = outbox.prune(["removed"], closed_before_ms=NOON_MS, max_events=5)
    assert kept == {EventState.WAITING: 1, EventState.DELIVERED: 0, EventState.DEAD: 0}
    deleted = outbox.prune([], closed_before_ms=NOON_MS + 1, max_events=2)
    assert deleted == {EventState.WAITING: 1, EventState.DELIVERED: 1, EventState.DEAD: 1}
    assert outbox.queue_lengths() == {"shop": QueueLength(2, NOON_MS)}
    assert drain(outbox) == ["w-3", "w-4"]


def test_an_outbox_that_cannot_be_opened_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="outbox of webhooks"):
        SqliteOutbox(tmp_path / "file/outbox.sqlite3")


def test_subscriptions_are_read_again_after_a_change(tmp_path: Path) -> None:
    path = tmp_path / "webhooks/subscriptions.json"
    reader, writer = SubscriptionFile(path), SubscriptionFile(path)
    assert reader.current() == {}
    writer.change(lambda known: {**known, "shop": SHOP})
    assert reader.current() == {"shop": SHOP}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    writer.change(lambda _: {})
    assert reader.current() == {}


@pytest.mark.parametrize("content", ["{", '{"format": 2, "subscriptions": []}', "[]"])
def test_a_damaged_file_stops_sending_and_names_no_secret(tmp_path: Path, content: str) -> None:
    path = tmp_path / "subscriptions.json"
    file = SubscriptionFile(path)
    file.change(lambda _: {"shop": SHOP})
    assert file.current()
    path.write_text(content)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="no event is recorded or sent"):
            file.current()
