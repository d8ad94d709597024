"""One question to the store at a time for all sessions, and nobody waits longer than is useful."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

from fraudwatch.application.ports import StoreUnavailable


class StoreSlow(StoreUnavailable):
    """The store may still answer, but later than a page can wait."""


class SingleFlight:
    """A job that any session may ask for and that runs once, on a thread of its own.

    A hundred analysts load the store like one, and a store that hangs holds one thread, not theirs.
    """

    def __init__(self, job: Callable[[datetime], None], every: timedelta) -> None:
        self._job, self._every = job, every
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1)
        self._last: Future[None] | None = None
        self._began: datetime | None = None
        self._began_seconds = 0.0

    def run(self, now: datetime, *, patience_seconds: float) -> None:
        """Start the job if it is due, and wait for it until it has run this long in all.

        Raises:
            StoreSlow: it still runs; it goes on, and a later call tells how it ended.
            StoreUnavailable: its last run failed; it is tried again when it is due.
        """
        with self._lock:
            if self._is_due(now):
                self._began, self._began_seconds = now, time.monotonic()
                self._last = self._thread.submit(self._job, now)
            last, ran_seconds = self._last, time.monotonic() - self._began_seconds
        if last is None:
            return
        try:
            last.result(max(0.0, patience_seconds - ran_seconds))
        except TimeoutError as error:
            raise StoreSlow(f"no answer within {patience_seconds:g} s") from error

    def _is_due(self, now: datetime) -> bool:
        if self._last is None or self._began is None:
            return True
        # A clock that was set back must not stop it.
        return self._last.done() and abs(now - self._began) >= self._every
