"""Plan the messages to staff: CRITICAL at once, all others in digests, within rates.

A plan is a function of what waits, what was sent and the time. So after a kill the same plan
follows from the same state, and an outage of a mail server needs no rule of its own: what has
waited too long is old, and old alerts are digested.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from fraudwatch.domain.messages.verdict import Risk
from fraudwatch.domain.notifications.quiet_hours import QuietHours
from fraudwatch.domain.notifications.staff_alert import StaffAlert
from fraudwatch.domain.time_units import HOUR_MS

_ID_DIGITS = 32


class MessageKind(enum.StrEnum):
    """Kind of a message to staff."""

    CRITICAL = "critical"  # one customer, at once
    DIGEST = "digest"  # everything that waited


@dataclass(frozen=True, slots=True)
class PendingAlert:
    """An alert that no message of a channel has yet, and since when it waits."""

    alert: StaffAlert
    added_at_ms: int


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that was sent, as far as rates and deduplication need it."""

    kind: MessageKind
    customer_tokens: frozenset[str]
    at_ms: int


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """The next message of a channel, with its alerts in the order in which they were added."""

    kind: MessageKind
    alerts: tuple[StaffAlert, ...]

    @property
    def customer_tokens(self) -> frozenset[str]:
        """Return the customers in it."""
        return frozenset(alert.customer_token for alert in self.alerts)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffPolicy:
    """When staff get which message; the same for every channel, counted by channel."""

    dedupe_seconds: int = 3_600
    digest_seconds: int = 900
    digest_size: int = 50
    critical_per_hour: int = 20
    digests_per_hour: int = 12
    old_after_seconds: int = 900
    quiet_hours: QuietHours | None = None
    critical_in_quiet_hours: bool = True

    @property
    def memory_ms(self) -> int:
        """Return how far back sent messages count."""
        return max(HOUR_MS, 1_000 * self.dedupe_seconds)

    def plan(
        self, pending: Sequence[PendingAlert], sent: Collection[SentMessage], now_ms: int
    ) -> PlannedMessage | None:
        """Return the message that is due now, or None.

        A CRITICAL alert is sent at once, with all other pending alerts of its customer, unless it
        is old, its customer had such a message within the window, or the rate is used up. Then it
        waits for the digest, which counts it. Quiet hours delay digests, and by choice CRITICAL.
        """
        is_quiet = self.quiet_hours is not None and self.quiet_hours.covers(now_ms)
        if not is_quiet or self.critical_in_quiet_hours:
            critical = self._critical(pending, sent, now_ms)
            if critical is not None:
                return critical
        if is_quiet or not self._is_digest_due(pending, now_ms):
            return None
        if _sent_within_an_hour(sent, MessageKind.DIGEST, now_ms) >= self.digests_per_hour:
            return None
        return PlannedMessage(MessageKind.DIGEST, tuple(one.alert for one in pending))

    def is_old(self, event_at_ms: int, now_ms: int) -> bool:
        """Return whether a purchase is too long ago for anything to be done at once."""
        return now_ms - event_at_ms > 1_000 * self.old_after_seconds

    def _critical(
        self, pending: Sequence[PendingAlert], sent: Collection[SentMessage], now_ms: int
    ) -> PlannedMessage | None:
        if _sent_within_an_hour(sent, MessageKind.CRITICAL, now_ms) >= self.critical_per_hour:
            return None
        since_ms = now_ms - 1_000 * self.dedupe_seconds
        notified = frozenset[str]().union(
            *(
                one.customer_tokens
                for one in sent
                if one.kind is MessageKind.CRITICAL and one.at_ms > since_ms
            )
        )
        alerts = [one.alert for one in pending]
        first = next(
            (
                alert
                for alert in alerts
                if alert.risk is Risk.CRITICAL
                and not self.is_old(alert.event_at_ms, now_ms)
                and alert.customer_token not in notified
            ),
            None,
        )
        if first is None:
            return None
        own = (alert for alert in alerts if alert.customer_token == first.customer_token)
        return PlannedMessage(MessageKind.CRITICAL, tuple(own))

    def _is_digest_due(self, pending: Sequence[PendingAlert], now_ms: int) -> bool:
        if not pending:
            return False
        oldest_ms = min(one.added_at_ms for one in pending)
        return now_ms - oldest_ms >= 1_000 * self.digest_seconds or len(pending) >= self.digest_size


def message_id_of(channel: str, kind: MessageKind, verdict_ids: Iterable[str]) -> str:
    """Return the stable id of a message: a hash of its channel, kind and verdicts."""
    text = "\n".join([channel, kind, *sorted(verdict_ids)])
    return hashlib.sha256(text.encode()).hexdigest()[:_ID_DIGITS]


def _sent_within_an_hour(sent: Collection[SentMessage], kind: MessageKind, now_ms: int) -> int:
    return sum(one.kind is kind and one.at_ms > now_ms - HOUR_MS for one in sent)
