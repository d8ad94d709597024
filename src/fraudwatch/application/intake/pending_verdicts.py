"""Pending verdicts of synchronous callers: registered before publishing, resolved when scored.

Verdicts that no caller waits for are not stored.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress

from fraudwatch.domain.messages.verdict import Verdict


class PendingVerdicts:
    """Verdicts that one caller waits for; resolved from any thread, awaited on its event loop."""

    def __init__(self, transaction_ids: Collection[str]) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._requested = frozenset(transaction_ids)
        self._found: dict[str, Verdict] = {}

    async def collect(
        self, transaction_ids: Collection[str], *, within_seconds: float
    ) -> dict[str, Verdict]:
        """Wait for these verdicts, by transaction; at time-out return those that have arrived."""
        wanted = self._requested.intersection(transaction_ids)
        with suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                while not wanted <= self._found.keys():
                    self._changed.clear()
                    await self._changed.wait()
        return {name: verdict for name, verdict in self._found.items() if name in wanted}

    def resolve(self, verdict: Verdict) -> None:
        """Hand over a verdict, from any thread."""
        # The event loop of a stopping server may have closed before its Kafka consumer.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._store, verdict)

    def _store(self, verdict: Verdict) -> None:
        self._found[verdict.transaction_id] = verdict
        self._changed.set()


class PendingVerdictRegistry:
    """All pending verdicts, by transaction."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: defaultdict[str, set[PendingVerdicts]] = defaultdict(set)

    def __bool__(self) -> bool:
        """Return whether any caller waits."""
        return bool(self._waiting)

    @contextmanager
    def waiting_for(self, transaction_ids: Collection[str]) -> Iterator[PendingVerdicts]:
        """Register for the verdicts of these transactions until the block ends."""
        pending = PendingVerdicts(transaction_ids)
        with self._lock:
            for name in transaction_ids:
                self._waiting[name].add(pending)
        try:
            yield pending
        finally:
            with self._lock:
                self._unregister(pending, transaction_ids)

    def resolve(self, transaction_id: str, verdict: Callable[[], Verdict]) -> None:
        """Hand a verdict to every caller that waits for it; it is decoded only if one does."""
        with self._lock:
            waiting = tuple(self._waiting.get(transaction_id, ()))
        if waiting:
            made = verdict()
            for pending in waiting:
                pending.resolve(made)

    def _unregister(self, pending: PendingVerdicts, transaction_ids: Collection[str]) -> None:
        for name in set(transaction_ids):
            self._waiting[name].discard(pending)
            if not self._waiting[name]:
                del self._waiting[name]
