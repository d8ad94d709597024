"""Deliver the events of one subscription, one after the other, at least once.

An event is closed after its acknowledgement. A kill in between sends it again with the same id.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fraudwatch.application.webhooks.ports import (
    DeliveryFailed,
    Outbox,
    QueuedEvent,
    WebhookSender,
)
from fraudwatch.domain.webhooks.retry_policy import RetryPolicy
from fraudwatch.domain.webhooks.subscription import Subscription

# Fewer may be one customer's event that the client refuses.
_FAILURES_OF_A_CLIENT_THAT_IS_DOWN: Final = 5


class StepKind(enum.StrEnum):
    """Result of a step."""

    IDLE = "idle"
    DELIVERED = "delivered"
    FAILED = "failed"
    DEAD_LETTERED = "dead_lettered"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it did, and the pause until the next."""

    kind: StepKind
    pause_seconds: float = 0.0
    failure: DeliveryFailed | None = None
    too_old_count: int = 0


class Delivery:
    """Delivery of one subscription."""

    def __init__(
        self,
        outbox: Outbox,
        sender: WebhookSender,
        policy: RetryPolicy,
        now_ms: Callable[[], int],
        random: Callable[[], float],
    ) -> None:
        self._outbox, self._sender, self._policy = outbox, sender, policy
        self._now_ms, self._random = now_ms, random
        self._failures_in_row = 0

    def step(self, subscription: Subscription) -> Step:
        """Attempt the next event that is due.

        Raises:
            StoreUnavailable: the outbox cannot be used; the same call later.
        """
        event = self._outbox.next_due(subscription.subscription_id, self._now_ms())
        if event is None:
            return Step(StepKind.IDLE)
        try:
            self._sender.send(subscription, event, self._now_ms())
        except DeliveryFailed as failure:
            return self._failed(subscription, event, failure)
        self._failures_in_row = 0
        self._outbox.delivered(event.webhook_id, self._now_ms())
        return Step(StepKind.DELIVERED)

    def _failed(
        self, subscription: Subscription, event: QueuedEvent, failure: DeliveryFailed
    ) -> Step:
        self._failures_in_row += 1
        attempts, now_ms, policy = event.attempts + 1, self._now_ms(), self._policy
        pause_seconds = max(
            failure.retry_after_seconds,
            policy.subscription_pause_seconds(self._failures_in_row, self._random),
        )
        if policy.is_given_up(attempts, event.queued_at_ms, now_ms):
            self._outbox.give_up(event.webhook_id, now_ms, str(failure))
            kind = StepKind.DEAD_LETTERED
        else:
            wait_seconds = policy.event_pause_seconds(attempts, self._random)
            due_at_ms = now_ms + round(1_000 * max(wait_seconds, failure.retry_after_seconds))
            self._outbox.retry_later(event.webhook_id, due_at_ms, str(failure))
            kind = StepKind.FAILED
        return Step(kind, pause_seconds, failure, self._give_up_old(subscription, now_ms))

    def _give_up_old(self, subscription: Subscription, now_ms: int) -> int:
        """Give up what waits for too long behind failures, without an attempt for each.

        Not after a few failures: a service that was stopped for days tries first.
        """
        if self._failures_in_row < _FAILURES_OF_A_CLIENT_THAT_IS_DOWN:
            return 0
        before_ms = self._policy.too_old_before_ms(now_ms)
        return self._outbox.give_up_queued_before(subscription.subscription_id, before_ms, now_ms)
