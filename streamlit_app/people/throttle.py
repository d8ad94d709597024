"""Makes guessing passwords slow, without letting a guesser lock out everybody."""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 8.0
FORGIVEN_AFTER_SECONDS: Final = 60.0
# After anybody's failed try nobody's is looked at for so long: at most four guesses a second in
# all, whatever the names, and yet somebody who knows their password gets in between.
PAUSE_FOR_ALL_SECONDS: Final = 0.25


class Answer(enum.Enum):
    """What becomes of a try to log in."""

    WELCOME = enum.auto()
    WRONG = enum.auto()
    TOO_SOON = enum.auto()


@dataclass(slots=True)
class _Name:
    failures: int = 0
    closed_until: float = 0.0


@dataclass(slots=True)
class Throttle:
    """After each failed try a name rests for a while, up to 8 s, and all names for a moment.

    It counts for all sessions together: a new session costs a guesser nothing.
    """

    clock_seconds: Callable[[], float] = time.monotonic
    _names: dict[str, _Name] = field(default_factory=dict)
    _all_closed_until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def judge(self, name: str, is_right: Callable[[], bool]) -> Answer:
        """Answer one try; one that comes too soon is not even compared."""
        with self._lock:
            now = self.clock_seconds()
            self._forgive(now)
            tried = self._names.get(name, _Name())
            if now < max(tried.closed_until, self._all_closed_until):
                return Answer.TOO_SOON
            if is_right():
                self._names.pop(name, None)
                return Answer.WELCOME
            self._close(name, tried)
            return Answer.WRONG

    def _close(self, name: str, tried: _Name) -> None:
        now = self.clock_seconds()  # comparing takes a while
        pause = min(FIRST_PAUSE_SECONDS * 2**tried.failures, LONGEST_PAUSE_SECONDS)
        self._names[name] = _Name(tried.failures + 1, now + pause)
        self._all_closed_until = now + PAUSE_FOR_ALL_SECONDS

    def _forgive(self, now: float) -> None:
        """So that a guesser with ever new names fills no memory, either."""
        for name, tried in list(self._names.items()):
            if now > tried.closed_until + FORGIVEN_AFTER_SECONDS:
                del self._names[name]
