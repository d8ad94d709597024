"""How often somebody may look behind tokens: a stolen session must not empty the store."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from fraudwatch.domain.time_units import HOUR_MS

# One every two minutes for a whole hour: more than cases ask for, too little to empty the store.
MOST_OF_ONE: Final = 30
# Whoever has the key of the edge may make logins up; this bounds them all.
MOST_OF_ALL: Final = 300


class TooMany(RuntimeError):
    """The hour's allowance is used up; says for how long."""

    def __init__(self, whose: str, again_in_seconds: int) -> None:
        self.again_in_seconds = again_in_seconds
        super().__init__(
            f"{whose} in the last hour, so nothing was shown; again in "
            f"{-(-again_in_seconds // 60)} min"
        )


@dataclass(slots=True)
class Allowance:
    """Counts an hour back, in memory: after a restart everybody begins at nothing again.

    Tries count, whatever becomes of them.
    """

    most_of_one: int = MOST_OF_ONE
    most_of_all: int = MOST_OF_ALL
    _taken: deque[tuple[int, str]] = field(default_factory=deque)  # at_ms, login; oldest first
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, login: str, now_ms: int) -> None:
        """Take one of this person's.

        Raises:
            TooMany: there is none left.
        """
        with self._lock:
            while self._taken and self._taken[0][0] <= now_ms - HOUR_MS:
                self._taken.popleft()
            own = [at_ms for at_ms, who in self._taken if who == login]
            if len(own) >= self.most_of_one:
                raise TooMany(f"{login} asked {len(own)} times", _seconds_until(own[0], now_ms))
            if len(self._taken) >= self.most_of_all:
                asked = f"all together asked {len(self._taken)} times"
                raise TooMany(asked, _seconds_until(self._taken[0][0], now_ms))
            self._taken.append((now_ms, login))


def _seconds_until(oldest_ms: int, now_ms: int) -> int:
    """When the oldest is an hour old; at least a second."""
    return max(1, -((now_ms - HOUR_MS - oldest_ms) // 1_000))
