"""Wait in tests until a condition holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")
_POLL_SECONDS = 0.2


def eventually(
    condition: Callable[[], Value],
    *,
    within_seconds: float,
    what: str,
    every_seconds: float = _POLL_SECONDS,
) -> Value:
    """Poll ``condition`` until it returns a true value, and return that.

    Raises:
        TimeoutError: it returned none in time; the message names ``what``.
    """
    deadline = time.monotonic() + within_seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {within_seconds:.0f} s, last value {value!r}")
        time.sleep(every_seconds)
    return value
