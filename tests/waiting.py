"""Wait in tests until a condition holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
_LOOK_AGAIN_SECONDS = 0.2


def eventually(
    probe: Callable[[], Found],
    *,
    within_seconds: float,
    what: str,
    every_seconds: float = _LOOK_AGAIN_SECONDS,
) -> Found:
    """Call ``probe`` repeatedly and return its first true result.

    Raises:
        TimeoutError: there was none in time; the text names the condition.
    """
    deadline = time.monotonic() + within_seconds
    while not (found := probe()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {within_seconds:.0f} s, last result {found!r}")
        time.sleep(every_seconds)
    return found
