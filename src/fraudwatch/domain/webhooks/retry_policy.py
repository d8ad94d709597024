"""Define when a webhook is attempted again, and when it is dead-lettered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_MAX_DOUBLINGS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Growing pauses with jitter, for an event and for its subscription.

    An event waits longer after each of its attempts, up to an hour. A subscription pauses after
    each failure until one succeeds, up to five minutes, so that a client that is down gets one
    request in a while and not one from each customer's queue.
    """

    max_attempts: int = 20
    give_up_seconds: int = 86_400
    first_pause_seconds: float = 5.0
    longest_pause_seconds: float = 3_600.0
    first_subscription_pause_seconds: float = 1.0
    longest_subscription_pause_seconds: float = 300.0

    def event_pause_seconds(self, attempts: int, random: Callable[[], float]) -> float:
        """Return the pause after this many attempts."""
        return _pause(self.first_pause_seconds, self.longest_pause_seconds, attempts, random)

    def subscription_pause_seconds(self, failures: int, random: Callable[[], float]) -> float:
        """Return the pause of a subscription after this many failures in a row."""
        return _pause(
            self.first_subscription_pause_seconds,
            self.longest_subscription_pause_seconds,
            failures,
            random,
        )

    def is_given_up(self, attempts: int, queued_at_ms: int, now_ms: int) -> bool:
        """Whether an event that failed again is dead-lettered."""
        return attempts >= self.max_attempts or queued_at_ms <= self.too_old_before_ms(now_ms)

    def too_old_before_ms(self, now_ms: int) -> int:
        """Return the time up to which queued events are too old for a client that fails."""
        return now_ms - 1_000 * self.give_up_seconds


def _pause(first: float, longest: float, count: int, random: Callable[[], float]) -> float:
    """Double the pause with each failure; half of it is random, so that retries spread."""
    full = min(longest, first * 2.0 ** min(max(count - 1, 0), _MAX_DOUBLINGS))
    return full * (0.5 + 0.5 * random())
