"""Single-flight jobs: one query at a time for all sessions, with a bounded wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

from fraudwatch.application.ports import StoreUnavailable


class StoreSlow(StoreUnavailable):
    """The store has not answered within the maximum wait; it still may."""


class SingleFlight:
    """A job that sessions share and that runs once at a time, on a thread of its own.

    A hundred analysts load the store like one, and a store that hangs blocks one thread only.
    """

    def __init__(self, job: Callable[[datetime], None], every: timedelta) -> None:
        self._job, self._every = job, every
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1)
        self._last: Future[None] | None = None
        self._began: datetime | None = None
        self._began_seconds = 0.0

    def run(self, now: datetime, *, max_wait_seconds: float) -> None:
        """Start the job if it is due, and wait until it has run for ``max_wait_seconds`` in all.

        Raises:
            StoreSlow: it is still running; a later call raises its error, if it fails.
            StoreUnavailable: its last run failed; it is repeated when it is due.
        """
        with self._lock:
            if self._is_due(now):
                self._began, self._began_seconds = now, time.monotonic()
                self._last = self._thread.submit(self._job, now)
            last, ran_seconds = self._last, time.monotonic() - self._began_seconds
        if last is None:
            return
        try:
            last.result(max(0.0, max_wait_seconds - ran_seconds))
        except TimeoutError as error:
            raise StoreSlow(f"no answer within {max_wait_seconds:g} s") from error

    def _is_due(self, now: datetime) -> bool:
        if self._last is None or self._began is None:
            return True
        # abs(): a clock that was set back must not stop the job.
        return self._last.done() and abs(now - self._began) >= self._every
