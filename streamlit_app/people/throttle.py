"""Throttle of login attempts: slow down guessing, without locking out everyone."""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 8.0
RESET_AFTER_SECONDS: Final = 60.0
# After a failed attempt, all attempts wait this long: at most four guesses a second in all,
# whatever the names, and a person who knows their password still gets in between.
PAUSE_FOR_ALL_SECONDS: Final = 0.25


class LoginResult(enum.Enum):
    """Result of a login attempt."""

    ACCEPTED = enum.auto()
    WRONG = enum.auto()
    TOO_SOON = enum.auto()


@dataclass(slots=True)
class _Name:
    failures: int = 0
    blocked_until: float = 0.0


@dataclass(slots=True)
class Throttle:
    """Block a name after each failed attempt, for up to 8 s, and all names for a moment.

    Shared by all sessions: a guesser could open a new session for each attempt.
    """

    clock_seconds: Callable[[], float] = time.monotonic
    _names: dict[str, _Name] = field(default_factory=dict)
    _all_blocked_until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def attempt(self, name: str, is_right: Callable[[], bool]) -> LoginResult:
        """Check one attempt; one that comes too soon is not compared at all."""
        with self._lock:
            now = self.clock_seconds()
            self._reset_old(now)
            state = self._names.get(name, _Name())
            if now < max(state.blocked_until, self._all_blocked_until):
                return LoginResult.TOO_SOON
            if is_right():
                self._names.pop(name, None)
                return LoginResult.ACCEPTED
            self._block(name, state)
            return LoginResult.WRONG

    def _block(self, name: str, state: _Name) -> None:
        now = self.clock_seconds()  # the comparison takes a while
        pause = min(FIRST_PAUSE_SECONDS * 2**state.failures, LONGEST_PAUSE_SECONDS)
        self._names[name] = _Name(state.failures + 1, now + pause)
        self._all_blocked_until = now + PAUSE_FOR_ALL_SECONDS

    def _reset_old(self, now: float) -> None:
        """Drop old names, so that a guesser with ever new names does not fill the memory."""
        for name, state in list(self._names.items()):
            if now > state.blocked_until + RESET_AFTER_SECONDS:
                del self._names[name]
