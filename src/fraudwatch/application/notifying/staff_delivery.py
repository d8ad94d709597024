"""Deliver messages to staff by one channel: at least once, each with a stable id."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fraudwatch.application.notifying.ports import NotificationStore, StaffChannel, StaffMessage
from fraudwatch.application.notifying.staff_texts import StaffTexts
from fraudwatch.domain.notifications.staff_policy import (
    PlannedMessage,
    StaffPolicy,
    message_id_of,
)


@dataclass(frozen=True, slots=True)
class StaffDelivery:
    """Use case of one channel: compose a message durably, send it, record that it was sent.

    A kill between the last two sends this one message again, with the same id and text.
    """

    store: NotificationStore
    channel: StaffChannel
    policy: StaffPolicy
    texts: StaffTexts
    now_ms: Callable[[], int]

    def next_message(self) -> StaffMessage | None:
        """Return the message to send now: one left unsent, else the one that is due; or None."""
        name, now_ms = self.channel.name, self.now_ms()
        if unsent := self.store.unsent(name):
            return unsent
        planned = self.policy.plan(
            self.store.pending(name),
            self.store.sent_since(name, now_ms - self.policy.memory_ms),
            now_ms,
        )
        if planned is None:
            return None
        message = self._composed(planned, now_ms)
        self.store.compose(message)
        return message

    def send(self, message: StaffMessage) -> None:
        """Send a composed message and record it.

        Raises:
            ChannelUnavailable: not now.
            MessageRefused: not this message.
        """
        self.channel.send(message)
        self.store.close(message, is_sent=True, now_ms=self.now_ms())

    def give_up(self, message: StaffMessage) -> None:
        """Record that a message is never sent, so that it does not block those behind it."""
        self.store.close(message, is_sent=False, now_ms=self.now_ms())

    def oldest_age_seconds(self) -> float:
        """Return how long the oldest unsent alert or message waits; 0 if none does."""
        name = self.channel.name
        times_ms = [one.added_at_ms for one in self.store.pending(name)]
        if unsent := self.store.unsent(name):
            times_ms.append(unsent.composed_at_ms)
        return max(0, self.now_ms() - min(times_ms)) / 1000 if times_ms else 0.0

    def _composed(self, planned: PlannedMessage, now_ms: int) -> StaffMessage:
        verdict_ids = tuple(alert.verdict_id for alert in planned.alerts)
        return StaffMessage(
            channel=self.channel.name,
            message_id=message_id_of(self.channel.name, planned.kind, verdict_ids),
            kind=planned.kind,
            customer_tokens=planned.customer_tokens,
            verdict_ids=verdict_ids,
            subject=self.texts.subject(planned),
            text=self.texts.text(planned),
            composed_at_ms=now_ms,
        )
