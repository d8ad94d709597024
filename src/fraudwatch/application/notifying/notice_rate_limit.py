"""Rate limit of notices by customer and in total: a fault must not flood people."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from fraudwatch.domain.time_units import HOUR_MS

MAX_PER_CUSTOMER: Final = 3
MAX_TOTAL: Final = 500


class TooManyNotices(RuntimeError):
    """This customer had enough notices in the last hour; the notice is not to be repeated."""


class NoticesPaused(RuntimeError):
    """All customers together had enough; the notice may be repeated later."""


@dataclass(slots=True)
class NoticeRateLimit:
    """Sliding window of one hour, in memory: a restart of ingest resets it."""

    max_per_customer: int = MAX_PER_CUSTOMER
    max_total: int = MAX_TOTAL
    _sent: deque[tuple[int, str]] = field(default_factory=deque)  # at_ms, token; oldest first
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def consume(self, customer_token: str, now_ms: int) -> None:
        """Count one notice.

        Raises:
            TooManyNotices: the limit of this customer is reached.
            NoticesPaused: the limit of all is reached.
        """
        with self._lock:
            while self._sent and self._sent[0][0] <= now_ms - HOUR_MS:
                self._sent.popleft()
            own = sum(token == customer_token for _, token in self._sent)
            if own >= self.max_per_customer:
                raise TooManyNotices(f"the customer had {own} notices in the last hour")
            if len(self._sent) >= self.max_total:
                raise NoticesPaused(f"{len(self._sent)} notices were sent in the last hour")
            self._sent.append((now_ms, customer_token))

    def release(self, customer_token: str, now_ms: int) -> None:
        """Take back a notice that was counted and certainly not sent."""
        with self._lock:
            if (now_ms, customer_token) in self._sent:
                self._sent.remove((now_ms, customer_token))
