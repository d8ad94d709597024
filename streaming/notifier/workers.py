"""Threads that deliver: one a channel, each with its own back-off, so that none waits for another.

While a channel fails, its thread tries the same message again with growing pauses, up to five
minutes. What arrives meanwhile waits in the state and is old when the channel works again, so that
it comes in one digest and not mail by mail.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from tenacity import (
    RetryCallState,
    RetryError,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_when_event_set,
    wait_exponential_jitter,
)

from fraudwatch.application.notifying.customer_delivery import CustomerDelivery
from fraudwatch.application.notifying.ports import (
    ChannelUnavailable,
    MessageRefused,
    StaffMessage,
)
from fraudwatch.application.notifying.staff_delivery import StaffDelivery
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.observability.catalogue.notifier import CUSTOMERS
from fraudwatch.observability.metrics import counter, gauge

log = logging.getLogger("notifier")

LONGEST_PAUSE_SECONDS: Final = 300.0
MAX_REFUSALS: Final = 5
_messages = counter("fraudwatch_notifier_messages")
_given_up = counter("fraudwatch_notifier_given_up")
_failures = counter("fraudwatch_notifier_failures")
_failing = gauge("fraudwatch_notifier_channel_failing")
_oldest = gauge("fraudwatch_notifier_oldest_waiting_seconds")


class Worker:
    """Repeats one delivery until stopped, with back-off while its channel is unavailable."""

    def __init__(
        self,
        name: str,
        deliver: Callable[[], bool],
        stopping: threading.Event,
        *,
        idle_seconds: float,
    ) -> None:
        """``deliver`` returns whether it did something, so that there may be more."""
        self._name, self._deliver, self._stopping = name, deliver, stopping
        self._idle_seconds = idle_seconds
        self._retrying = Retrying(
            retry=retry_if_exception_type((ChannelUnavailable, MessageRefused, StoreUnavailable)),
            wait=wait_exponential_jitter(initial=1, max=LONGEST_PAUSE_SECONDS, jitter=1),
            stop=stop_when_event_set(stopping),
            sleep=sleep_using_event(stopping),
            before_sleep=self._note_failure,
        )

    def start(self) -> threading.Thread:
        """Start the thread; an unexpected error in it ends the process."""
        thread = threading.Thread(target=self.run, name=self._name, daemon=True)
        thread.start()
        return thread

    def run(self) -> None:
        """Deliver until stopped."""
        while not self._stopping.is_set():
            try:
                did_something = self._retrying(self._deliver)
            except RetryError:  # stopped while it failed; what waits is on disk
                return
            _failing.labels(channel=self._name).set(0)
            if not did_something:
                self._stopping.wait(self._idle_seconds)

    def _note_failure(self, state: RetryCallState) -> None:
        _failures.labels(channel=self._name).inc()
        _failing.labels(channel=self._name).set(1)
        error = state.outcome.exception() if state.outcome else None
        pause = state.next_action.sleep if state.next_action else 0.0
        log.warning("%s: %s; next attempt in %.0f s", self._name, error, pause)


class StaffStep:
    """One step of a staff channel, which gives up a message that is refused again and again."""

    def __init__(self, delivery: StaffDelivery) -> None:
        self._delivery, self._channel = delivery, delivery.channel.name
        self._refused: StaffMessage | None = None
        self._refusals = 0
        _oldest.labels(channel=self._channel).set_function(self._oldest_seconds)

    def __call__(self) -> bool:
        """Send the next message, if one is due."""
        message = self._delivery.next_message()
        if message is None:
            return False
        try:
            self._delivery.send(message)
        except MessageRefused as error:
            if self._counted(message) < MAX_REFUSALS:
                raise
            # One message must not block those behind it; its alerts are in the console.
            log.error("%s: %s; the message %s is given up", self._channel, error,  # noqa: TRY400
                      message.message_id)  # fmt: skip
            self._delivery.give_up(message)
            _given_up.labels(channel=self._channel).inc()
            return True
        _messages.labels(channel=self._channel, kind=message.kind).inc()
        return True

    def _counted(self, message: StaffMessage) -> int:
        is_same = self._refused is not None and self._refused.message_id == message.message_id
        self._refused, self._refusals = message, self._refusals + 1 if is_same else 1
        return self._refusals

    def _oldest_seconds(self) -> float:
        try:
            return self._delivery.oldest_age_seconds()
        except StoreUnavailable:
            return float("nan")


def staff_worker(delivery: StaffDelivery, stopping: threading.Event) -> Worker:
    """Create the worker of one staff channel."""
    return Worker(delivery.channel.name, StaffStep(delivery), stopping, idle_seconds=1.0)


def customer_worker(delivery: CustomerDelivery, stopping: threading.Event) -> Worker:
    """Create the worker of customer notices."""
    return Worker(CUSTOMERS, lambda: delivery.deliver_waiting() > 0, stopping, idle_seconds=1.0)
