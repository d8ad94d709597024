"""Who waits for which verdict: expected before the purchase leaves, handed over when it is judged.

Nothing is kept of a transaction that nobody waits for.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress

from fraudwatch.domain.messages.verdict import Verdict


class Expected:
    """The verdicts that one caller waits for; told on any thread, awaited on its event loop."""

    def __init__(self, transaction_ids: Collection[str]) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._wanted = frozenset(transaction_ids)
        self._found: dict[str, Verdict] = {}

    async def of(
        self, transaction_ids: Collection[str], *, within_seconds: float
    ) -> dict[str, Verdict]:
        """The verdicts on these, by transaction; as many as have come when time is over."""
        wanted = self._wanted.intersection(transaction_ids)
        with suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                while not wanted <= self._found.keys():
                    self._changed.clear()
                    await self._changed.wait()
        return {name: verdict for name, verdict in self._found.items() if name in wanted}

    def tell(self, verdict: Verdict) -> None:
        """Hand a verdict over, from whatever thread."""
        # The loop of a server that is being stopped may have closed before its reader did.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._keep, verdict)

    def _keep(self, verdict: Verdict) -> None:
        self._found[verdict.transaction_id] = verdict
        self._changed.set()


class Expectations:
    """Everybody who waits, by transaction."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: defaultdict[str, set[Expected]] = defaultdict(set)

    def __bool__(self) -> bool:
        """Whether anybody waits for anything."""
        return bool(self._waiting)

    @contextmanager
    def expecting(self, transaction_ids: Collection[str]) -> Iterator[Expected]:
        """Wait for the verdicts on these from now on, until the block ends."""
        expected = Expected(transaction_ids)
        with self._lock:
            for name in transaction_ids:
                self._waiting[name].add(expected)
        try:
            yield expected
        finally:
            with self._lock:
                self._leave(expected, transaction_ids)

    def tell(self, transaction_id: str, verdict: Callable[[], Verdict]) -> None:
        """Hand a verdict to all who wait for it; it is only made when somebody does."""
        with self._lock:
            waiting = tuple(self._waiting.get(transaction_id, ()))
        if waiting:
            made = verdict()
            for expected in waiting:
                expected.tell(made)

    def _leave(self, expected: Expected, transaction_ids: Collection[str]) -> None:
        for name in set(transaction_ids):
            self._waiting[name].discard(expected)
            if not self._waiting[name]:
                del self._waiting[name]
