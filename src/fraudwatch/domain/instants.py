"""Instants as the messages carry them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ms_of(instant: datetime) -> int:
    """The whole milliseconds since 1970 UTC; exact, where a float of seconds may be one short."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def day_of(epoch_ms: int) -> str:
    """The day as ``2026-11-21``, UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime(epoch_ms // 1_000))


def clock_of(epoch_ms: int) -> str:
    """The time of day as ``06:21:05``, UTC."""
    return time.strftime("%H:%M:%S", time.gmtime(epoch_ms // 1_000))
