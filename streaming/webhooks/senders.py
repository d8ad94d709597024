"""Threads that deliver: one a subscription, so that no client waits for another."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.application.webhooks.delivery import Delivery, Step, StepKind
from fraudwatch.application.webhooks.ports import SubscriptionReader
from fraudwatch.domain.webhooks.delivery_state import FailureReason
from fraudwatch.observability.metrics import counter, gauge

log = logging.getLogger("webhooks")

IDLE_SECONDS: Final = 0.5
_STORE_RETRY_SECONDS: Final = 5.0
_SYNC_SECONDS: Final = 1.0
_delivered = counter("fraudwatch_webhooks_delivered")
_failures = counter("fraudwatch_webhooks_failures")
_dead_lettered = counter("fraudwatch_webhooks_dead_lettered")
_failing = gauge("fraudwatch_webhooks_failing")


class SenderThread:
    """Delivers the events of one subscription until it is stopped or the subscription removed."""

    def __init__(
        self, subscription_id: str, delivery: Delivery, subscriptions: SubscriptionReader
    ) -> None:
        self._id, self._delivery, self._subscriptions = subscription_id, delivery, subscriptions
        self.stopping = threading.Event()
        self._thread = threading.Thread(
            target=self.run, name=f"webhook-{subscription_id}", daemon=True
        )
        _failing.labels(subscription=subscription_id).set(0)
        _delivered.labels(subscription=subscription_id)
        # A first increase counts in a rate only if the series began with 0.
        for reason in FailureReason:
            _failures.labels(subscription=subscription_id, reason=reason)
            _dead_lettered.labels(subscription=subscription_id, reason=reason)

    def start(self) -> None:
        """Start the thread; an unexpected error in it ends the process."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def run(self) -> None:
        """Deliver, with pauses after failures."""
        while not self.stopping.is_set():
            try:
                # Read at each step: a rotated secret signs the next attempt.
                subscription = self._subscriptions.current().get(self._id)
                if subscription is None:
                    return
                step = self._delivery.step(subscription)
            except StoreUnavailable as error:
                log.warning("%s; retrying in %.0f s", error, _STORE_RETRY_SECONDS)
                self.stopping.wait(_STORE_RETRY_SECONDS)
                continue
            if self.stopping.is_set():  # removed meanwhile: its series must not come back
                return
            self._count(step)
            pause_seconds = IDLE_SECONDS if step.kind is StepKind.IDLE else step.pause_seconds
            if pause_seconds:
                self.stopping.wait(pause_seconds)

    def _count(self, step: Step) -> None:
        if step.kind is StepKind.DELIVERED:
            _delivered.labels(subscription=self._id).inc()
            _failing.labels(subscription=self._id).set(0)
        if step.failure is None:
            return
        _failures.labels(subscription=self._id, reason=step.failure.reason).inc()
        _failing.labels(subscription=self._id).set(1)
        given_up = ""
        if step.kind is StepKind.DEAD_LETTERED:
            _dead_lettered.labels(subscription=self._id, reason=step.failure.reason).inc()
            given_up = "; the event is dead-lettered"
        if step.too_old_count:
            _dead_lettered.labels(subscription=self._id, reason=FailureReason.TOO_OLD).inc(
                step.too_old_count
            )
            given_up += f"; {step.too_old_count} events that waited for too long are dead-lettered"
        log.warning(
            "webhook %s: %s%s; next attempt in %.0f s at the earliest",
            self._id,
            step.failure,
            given_up,
            step.pause_seconds,
        )


class Senders:
    """Keeps one thread for each subscription."""

    def __init__(
        self,
        subscriptions: SubscriptionReader,
        new_delivery: Callable[[], Delivery],
        stopping: threading.Event,
    ) -> None:
        self._subscriptions, self._new_delivery = subscriptions, new_delivery
        self._stopping = stopping
        self._threads: dict[str, SenderThread] = {}

    def run(self) -> None:
        """Follow the subscriptions until stopped."""
        while not self._stopping.wait(_SYNC_SECONDS):
            try:
                self.sync()
            except StoreUnavailable as error:
                log.warning("%s", error)
        for thread in self._threads.values():
            thread.stopping.set()

    def sync(self) -> None:
        """Start threads of new subscriptions, and stop those of removed ones."""
        wanted = self._subscriptions.current()
        for subscription_id in [one for one in self._threads if one not in wanted]:
            self._threads.pop(subscription_id).stopping.set()
            _failing.remove(subscription_id)
        for subscription_id in wanted:
            running = self._threads.get(subscription_id)
            # A thread ends by itself if its subscription was away for a moment.
            if running is None or not running.is_alive():
                thread = SenderThread(subscription_id, self._new_delivery(), self._subscriptions)
                self._threads[subscription_id] = thread
                thread.start()
