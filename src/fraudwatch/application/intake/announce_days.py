"""Publish a ``day_closed`` control event for each day, when the feed or the clock passes its end.

Progress is stored as the first day that is still open. It moves only after the broker has
acknowledged, so each day is announced at least once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from fraudwatch.application.ports import NotDelivered, Publisher
from fraudwatch.domain.messages.control import ControlMessage, day_closed

log = logging.getLogger("ingest")
# At a first start over a longer history, older days are left to a backfill.
MAX_DAYS_BACK = 40
_RETRY_MS = 30_000
_DAY = timedelta(days=1)


@dataclass(slots=True)
class DayAnnouncer:
    """Announces closed days by event time; ``remember`` stores the first open day durably."""

    topic: Publisher
    encode: Callable[[ControlMessage], bytes]
    now_ms: Callable[[], int]
    remember: Callable[[date], None]
    open_day: date | None = None
    _retry_at_ms: int = 0

    def advance(self, event_times_ms: Collection[int], *, is_at_head: bool) -> None:
        """Advance by the event times of acknowledged purchases; ``is_at_head``: the feed is read.

        An announcement that the broker does not acknowledge is retried later and blocks nothing.
        """
        now_ms = self.now_ms()
        today = _day_of(now_ms)
        # Capped at today: an event time in the future closes no day.
        days = [min(_day_of(at_ms), today) for at_ms in event_times_ms]
        open_day = self.open_day or min(days, default=None)
        if open_day is None:
            return
        if self.open_day is None:
            self._move(open_day)
        reached = today if is_at_head else max(days, default=open_day)
        closed = list(_days_between(open_day, reached, today))
        if closed and now_ms >= self._retry_at_ms:
            self._announce(closed, now_ms)

    def _announce(self, closed: list[date], now_ms: int) -> None:
        messages = [
            (day.isoformat(), self.encode(day_closed(day.isoformat())), now_ms) for day in closed
        ]
        try:
            self.topic.publish(messages)
        except NotDelivered as error:
            self._retry_at_ms = now_ms + _RETRY_MS
            log.warning(
                "the end of %s is not announced yet and will be retried: %s", closed[0], error
            )
            return
        log.info("announced the end of %d days, up to %s", len(closed), closed[-1])
        self._move(closed[-1] + _DAY)

    def _move(self, day: date) -> None:
        self.remember(day)
        self.open_day = day


def _days_between(open_day: date, reached: date, today: date) -> Iterator[date]:
    day = max(open_day, min(reached, today - MAX_DAYS_BACK * _DAY))
    while day < reached:
        yield day
        day += _DAY


def _day_of(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).date()
