"""Convert instants to and from epoch milliseconds, the time format of messages."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ms_of(instant: datetime) -> int:
    """Return the whole milliseconds since 1970 UTC; exact, unlike a float of seconds."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def day_of(epoch_ms: int) -> str:
    """Format the day as ``2026-11-21``, UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime(epoch_ms // 1_000))


def clock_of(epoch_ms: int) -> str:
    """Format the time of day as ``06:21:05``, UTC."""
    return time.strftime("%H:%M:%S", time.gmtime(epoch_ms // 1_000))
