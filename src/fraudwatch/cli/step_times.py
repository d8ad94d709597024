"""Step times: how long a command took to reach each of its steps."""

from __future__ import annotations

import time
from collections.abc import Callable

from fraudwatch.stack.environments import Notify


class StepTimes:
    """Seconds from the start of a command to each of its steps, printed as each is reached."""

    def __init__(self, notify: Notify, now: Callable[[], float] = time.monotonic) -> None:
        """Begin to count."""
        self._notify = notify
        self._now = now
        self._began = now()
        self.seconds = dict[str, float]()

    def reached(self, step: str, hint: str = "") -> None:
        """Record a step and print it; ``hint`` is what a person does with it."""
        self.seconds[step] = round(self._now() - self._began, 1)
        self._notify(f"     {step}: after {self.seconds[step]} s{f'; {hint}' if hint else ''}")
