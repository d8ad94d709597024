"""Rate limit of reveals by login and in total: a stolen session must not empty the store."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from fraudwatch.domain.time_units import HOUR_MS

# One every two minutes for an hour: more than casework needs, too few to empty the store.
MAX_PER_LOGIN: Final = 30
# A caller with the API key of the edge can invent logins; this bounds all of them together.
MAX_TOTAL: Final = 300


class TooManyReveals(RuntimeError):
    """The limit of the last hour is reached; ``retry_after_seconds`` says when to try again."""

    def __init__(self, whose: str, retry_after_seconds: int) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(
            f"{whose} in the last hour, so nothing was shown; try again in "
            f"{-(-retry_after_seconds // 60)} min"
        )


@dataclass(slots=True)
class RevealRateLimit:
    """Sliding window of one hour, in memory: a restart resets it.

    Attempts count, whatever their result.
    """

    max_per_login: int = MAX_PER_LOGIN
    max_total: int = MAX_TOTAL
    _attempts: deque[tuple[int, str]] = field(default_factory=deque)  # at_ms, login; oldest first
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def consume(self, login: str, now_ms: int) -> None:
        """Count one reveal of this login.

        Raises:
            TooManyReveals: the limit is reached.
        """
        with self._lock:
            while self._attempts and self._attempts[0][0] <= now_ms - HOUR_MS:
                self._attempts.popleft()
            own = [at_ms for at_ms, who in self._attempts if who == login]
            if len(own) >= self.max_per_login:
                raise TooManyReveals(
                    f"{login} asked {len(own)} times", _seconds_until(own[0], now_ms)
                )
            if len(self._attempts) >= self.max_total:
                used = f"all together asked {len(self._attempts)} times"
                raise TooManyReveals(used, _seconds_until(self._attempts[0][0], now_ms))
            self._attempts.append((now_ms, login))


def _seconds_until(oldest_ms: int, now_ms: int) -> int:
    """Return the seconds until the oldest attempt is an hour old; at least 1."""
    return max(1, -((now_ms - HOUR_MS - oldest_ms) // 1_000))
