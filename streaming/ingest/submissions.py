"""Threads in which submissions wait for their acknowledgements.

They are no threads of anything else, so that with the broker away health, metrics and status still
answer. A caller that gets none of them is answered at once instead of waiting for those before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from fraudwatch.application.ports import NotDelivered

Result = TypeVar("Result")
_MOST_AT_ONCE: Final = 100
# Longer than any queue of a broker that works, and far shorter than the wait for one that does not.
_PATIENCE_SECONDS: Final = 2.0


class Submissions:
    """Runs submissions, at most so many at once."""

    def __init__(
        self, most_at_once: int = _MOST_AT_ONCE, patience_seconds: float = _PATIENCE_SECONDS
    ) -> None:
        self._threads = ThreadPoolExecutor(most_at_once, thread_name_prefix="submission")
        self._free = asyncio.Semaphore(most_at_once)
        self._patience_seconds = patience_seconds

    async def run(self, submit: Callable[[], Result]) -> Result:
        """Run one submission in a thread.

        Raises:
            NotDelivered: too many others wait for the broker, so it was not begun.
        """
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._free.acquire()
        except TimeoutError:
            raise NotDelivered(
                "too many submissions wait for the broker already, so this one was not begun; see "
                "whether kafka runs with ./fraudwatch status"
            ) from None
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, submit)
        finally:
            self._free.release()
