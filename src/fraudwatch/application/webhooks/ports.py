"""Ports of webhooks: subscriptions, outbox, sender."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fraudwatch.domain.webhooks.delivery_state import EventState, FailureReason
from fraudwatch.domain.webhooks.subscription import EventKind, Subscription


class DeliveryFailed(Exception):
    """An attempt failed; the client may nevertheless have processed the event."""

    def __init__(
        self, reason: FailureReason, detail: str, *, retry_after_seconds: float = 0.0
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.retry_after_seconds = reason, retry_after_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event for one subscription, to be added to the outbox."""

    subscription_id: str
    webhook_id: str
    kind: EventKind
    transaction_id: str
    customer_token: str | None
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedEvent:
    """An event that is due."""

    webhook_id: str
    body: bytes
    attempts: int
    queued_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadEvent:
    """An event that was given up."""

    subscription_id: str
    webhook_id: str
    kind: EventKind
    transaction_id: str
    attempts: int
    failure: str
    added_at_ms: int
    dead_at_ms: int


@dataclass(frozen=True, slots=True)
class QueueLength:
    """Waiting events of a subscription, and when the oldest was queued."""

    waiting: int
    oldest_queued_at_ms: int


class Outbox(Protocol):
    """Durable queues of events, one for each subscription and customer in it.

    Each method is one transaction. All raise ``StoreUnavailable`` when it cannot be used.
    """

    def add(self, events: Sequence[NewEvent], now_ms: int) -> int:
        """Add events that are not known yet, in order; return how many were new.

        A decision joins the queue of its customer if the purchase's verdict is known.
        """

    def next_due(self, subscription_id: str, now_ms: int) -> QueuedEvent | None:
        """Return the event to attempt: due, first of its customer's queue, with fewest attempts.

        Of several with equally many attempts it is the oldest.
        """

    def delivered(self, webhook_id: str, now_ms: int) -> None:
        """Note that the client has acknowledged an event."""

    def retry_later(self, webhook_id: str, due_at_ms: int, failure: str) -> None:
        """Count a failed attempt; the customer's queue waits until the event is due."""

    def give_up(self, webhook_id: str, now_ms: int, failure: str) -> None:
        """Dead-letter an event after a failed attempt; the customer's queue goes on."""

    def give_up_queued_before(self, subscription_id: str, before_ms: int, now_ms: int) -> int:
        """Dead-letter what was queued before; return how many events."""

    def replay(self, subscription_id: str, since_ms: int, now_ms: int, *, dead_only: bool) -> int:
        """Queue events added since then again, under the same ids; return how many."""

    def dead_events(self, subscription_id: str | None, limit: int) -> list[DeadEvent]:
        """Return events that were given up, the latest first."""

    def queue_lengths(self) -> Mapping[str, QueueLength]:
        """Return the waiting events by subscription."""

    def subscription_ids(self) -> frozenset[str]:
        """Return the subscriptions that have events."""

    def prune(
        self, removed: Collection[str], *, closed_before_ms: int, max_events: int
    ) -> Mapping[EventState, int]:
        """Delete events; return how many of each state.

        These are all of ``removed`` subscriptions, delivered and dead events that were closed
        before, and the oldest above ``max_events`` of a subscription.
        """


class SubscriptionReader(Protocol):
    """Reads the subscriptions of now."""

    def current(self) -> Mapping[str, Subscription]:
        """Return the subscriptions by id.

        Raises:
            StoreUnavailable: they cannot be read.
        """


class SubscriptionStore(SubscriptionReader, Protocol):
    """Store of subscriptions."""

    def change(
        self, change: Callable[[Mapping[str, Subscription]], Mapping[str, Subscription]]
    ) -> None:
        """Replace the subscriptions by what ``change`` returns; concurrent changes wait.

        Raises:
            StoreUnavailable: they cannot be read or written.
        """


class WebhookSender(Protocol):
    """Sends one event to a client."""

    def send(self, subscription: Subscription, event: QueuedEvent, now_ms: int) -> None:
        """Send it and await the acknowledgement.

        Raises:
            DeliveryFailed: it is not acknowledged.
        """
