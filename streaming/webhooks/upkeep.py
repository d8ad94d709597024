"""Upkeep of the outbox: delete what is past its time, and publish the lengths of the queues."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Final

from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.application.webhooks.ports import Outbox, QueueLength, SubscriptionReader
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.domain.webhooks.delivery_state import EventState
from fraudwatch.observability.metrics import counter, gauge

log = logging.getLogger("webhooks")

_PERIOD_SECONDS: Final = 15.0
_dropped = counter("fraudwatch_webhooks_dropped")
_waiting = gauge("fraudwatch_webhooks_waiting")
_oldest = gauge("fraudwatch_webhooks_oldest_waiting_seconds")


class Upkeep:
    """Bounds the outbox by age and by number of events."""

    def __init__(
        self,
        outbox: Outbox,
        subscriptions: SubscriptionReader,
        now_ms: Callable[[], int],
        *,
        keep_days: int,
        max_events: int,
    ) -> None:
        self._outbox, self._subscriptions, self._now_ms = outbox, subscriptions, now_ms
        self._keep_ms, self._max_events = keep_days * DAY_MS, max_events
        self._published: set[str] = set()

    def run(self, stopping: threading.Event) -> None:
        """Repeat it until stopped."""
        while not stopping.is_set():
            try:
                self.once()
            except StoreUnavailable as error:
                log.warning("%s", error)
            stopping.wait(_PERIOD_SECONDS)

    def once(self) -> None:
        """Prune and measure.

        Raises:
            StoreUnavailable: not now.
        """
        # In this order: a subscription that is added in between is not among those with events.
        with_events = self._outbox.subscription_ids()
        known, now_ms = self._subscriptions.current(), self._now_ms()
        deleted = self._outbox.prune(
            with_events.difference(known),
            closed_before_ms=now_ms - self._keep_ms,
            max_events=self._max_events,
        )
        for state, count in deleted.items():
            _dropped.labels(state=state).inc(count)
        if undelivered := deleted[EventState.WAITING] + deleted[EventState.DEAD]:
            log.warning("%d events were deleted that no client has acknowledged", undelivered)
        self._publish(set(known), self._outbox.queue_lengths(), now_ms)

    def _publish(self, ids: set[str], lengths: Mapping[str, QueueLength], now_ms: int) -> None:
        for gone in self._published - ids:
            _waiting.remove(gone)
            _oldest.remove(gone)
        self._published = ids
        for one in ids:
            length = lengths.get(one) or QueueLength(0, now_ms)
            _waiting.labels(subscription=one).set(length.waiting)
            age_seconds = max(0, now_ms - length.oldest_queued_at_ms) / 1_000
            _oldest.labels(subscription=one).set(age_seconds)
