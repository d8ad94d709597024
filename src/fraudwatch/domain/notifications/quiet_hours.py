"""Quiet hours of staff: a daily interval in a time zone, which may span midnight."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_INTERVAL = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Minutes of the local day from ``start_minute`` to before ``end_minute``."""

    start_minute: int
    end_minute: int
    zone: ZoneInfo

    def covers(self, at_ms: int) -> bool:
        """Return whether a time is within them, by the clock on the wall of that zone."""
        local = datetime.fromtimestamp(at_ms / 1000, self.zone)
        minute = 60 * local.hour + local.minute
        if self.start_minute <= self.end_minute:
            return self.start_minute <= minute < self.end_minute
        return minute >= self.start_minute or minute < self.end_minute


def quiet_hours_of(interval: str, time_zone: str) -> QuietHours:
    """Parse ``22:00-07:00`` in a time zone such as ``Europe/Berlin``.

    Raises:
        ValueError: the interval or the time zone is invalid.
    """
    found = _INTERVAL.fullmatch(interval)
    if found is None:
        raise ValueError(
            "quiet hours must be an interval such as 22:00-07:00, or none, so nothing was started"
        )
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(
            "the time zone is unknown on this machine, so quiet hours have no meaning; write one "
            "such as Europe/Berlin, or install the package tzdata"
        ) from error
    start_hour, start, end_hour, end = map(int, found.groups())
    return QuietHours(60 * start_hour + start, 60 * end_hour + end, zone)
