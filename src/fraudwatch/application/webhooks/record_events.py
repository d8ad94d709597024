"""Record events for the subscriptions that want them, before their offsets are committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fraudwatch.application.webhooks.ports import NewEvent, Outbox, SubscriptionReader
from fraudwatch.domain.webhooks.events import Event
from fraudwatch.domain.webhooks.subscription import EventKind, Subscription


@dataclass(frozen=True, slots=True)
class RecordEvents:
    """Use case that adds events to the outbox; repeated ones change nothing."""

    outbox: Outbox
    subscriptions: SubscriptionReader
    encode: Callable[[Any], bytes]
    now_ms: Callable[[], int]

    def record(self, events: Sequence[Event]) -> int:
        """Add the events of each subscription; return how many were new.

        Events from before a subscription are not sent to it: a service that reads a topic from its
        beginning must not surprise a new client with a week of them.

        Raises:
            StoreUnavailable: not now; the same call later.
        """
        wanted = [
            new
            for subscription in self.subscriptions.current().values()
            for new in self._for(subscription, events)
        ]
        return self.outbox.add(wanted, self.now_ms()) if wanted else 0

    def _for(self, subscription: Subscription, events: Sequence[Event]) -> Iterator[NewEvent]:
        # The topics have no common order; a verdict is never behind its decision within a read.
        for event in sorted(events, key=lambda one: one.kind is EventKind.DECISION):
            is_later = event.published_at_ms >= subscription.created_at_ms
            if is_later and subscription.wants(event.kind, event.source):
                yield NewEvent(
                    subscription_id=subscription.subscription_id,
                    webhook_id=event.webhook_id(subscription.subscription_id),
                    kind=event.kind,
                    transaction_id=event.transaction_id,
                    customer_token=event.customer_token,
                    body=self.encode(event.body),
                )
