"""The newest alerts of all, kept in memory for every session; the store is asked for news alone.

The persister may lag, so alerts can be written long after they were decided. Three readings, each
wider and rarer, find them: the last minute each time, the last hours, and all of it now and then.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fraudwatch.application.alerts import Alert, in_order
from fraudwatch.application.ports import AlertReader

MOST_ALERTS: Final = 20_000
REACH: Final = timedelta(days=7)
# What the first page has to wait for; the rest comes behind its back.
FIRST_ALERTS, FIRST_REACH = 200, timedelta(hours=24)
OVERLAP: Final = timedelta(minutes=1)
LATE_REACH: Final = timedelta(hours=2)
WHOLE_EVERY: Final = timedelta(minutes=15)
# After a pause of this length there may be more news than a page can wait for.
LONG_UNREAD: Final = timedelta(minutes=10)
# Of an alert that is new after a longer silence nobody knows since when it could have been read.
WATCHED: Final = timedelta(seconds=5)
MOST_ARRIVALS: Final = 20
_STEP: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Arrival:
    """When an alert was first read here, and how long after its purchase."""

    read_at_ms: int
    took_ms: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What the window held at one moment, newest first; no alert since ``since_ms`` is missing."""

    alerts: tuple[Alert, ...]
    since_ms: int
    read_at_ms: int
    arrivals: tuple[Arrival, ...] = ()
    """Of the last alerts that came while somebody looked, the last one first."""


class AlertWindow:
    """The newest alerts, one a transaction; any thread may ask, and one at a time reads."""

    def __init__(self, reader: AlertReader, most: int = MOST_ALERTS) -> None:
        self._reader, self._most = reader, most
        self._lock = threading.Lock()
        self._by_id: dict[str, Alert] = {}
        self._seen: Seen | None = None
        self._arrivals: deque[Arrival] = deque(maxlen=MOST_ARRIVALS)
        self._read_at: datetime | None = None
        self._read_back_at: datetime | None = None
        self._whole_at: datetime | None = None

    def seen(self) -> Seen | None:
        """What is known, without asking anybody; None before the first answer."""
        return self._seen

    def read_newest(self, now: datetime) -> None:
        """Take in what was decided since the last time, and the minute before that.

        Raises:
            StoreUnavailable: nothing has changed; the next call catches up.
        """
        last = self._read_at
        is_long_ago = last is None or now - last > LONG_UNREAD
        since = now - FIRST_REACH if last is None else min(last, now) - OVERLAP
        limit = min(FIRST_ALERTS, self._most) if is_long_ago else self._most
        found = self._reader.decided_between(since, _end(now), limit=limit)
        with self._lock:
            whole_ms = _whole_since_ms(found, since, limit)
            if self._seen is not None and whole_ms <= _ms(since):
                whole_ms = min(whole_ms, self._seen.since_ms)
            if whole_ms > _ms(since):
                # There is a hole between this answer and what is older: read all of it again.
                self._whole_at = None
            news = self._add(found)
            if last is not None and now - last <= WATCHED:
                took_ms = sorted((_ms(now) - alert.event_at_ms for alert in news), reverse=True)
                self._arrivals.extendleft(Arrival(_ms(now), max(0, took)) for took in took_ms)
            self._publish(now, whole_ms, is_changed=bool(news))
        self._read_at = now

    def read_back(self, now: datetime) -> None:
        """Read again what is older, for what was written late: the last hours, or all when due.

        What the store holds no more (a person was forgotten) goes from the window as well.

        Raises:
            StoreUnavailable: what was read until then stays; the next call begins again.
        """
        is_whole = self._whole_at is None or now - self._whole_at >= WHOLE_EVERY
        read_until = min(self._read_back_at or now, now)
        first = now - REACH if is_whole else read_until - LATE_REACH
        until, left = _end(now), self._most
        while until > first and left > 0:
            since = max(first, until - _STEP)
            left -= self._read_again(since, until, left)
            until = since
        self._read_back_at = now
        if is_whole:
            self._whole_at = now

    def _read_again(self, since: datetime, until: datetime, limit: int) -> int:
        known = self._between(_ms(since), _ms(until))
        found = self._reader.decided_between(since, until, limit=limit)
        whole_ms = _whole_since_ms(found, since, limit)
        found_ids = {alert.transaction_id for alert in found}
        with self._lock:
            gone = [
                alert.transaction_id
                for alert in known
                if alert.transaction_id not in found_ids
                and alert.decided_at_ms >= whole_ms
                and self._by_id.get(alert.transaction_id) is alert
            ]
            for name in gone:
                del self._by_id[name]
            news = self._add(found)
            if self._seen is not None:
                since_ms = self._seen.since_ms
                # Only what adjoins makes the window longer: no hole may be counted as read.
                reaches_ms = min(since_ms, whole_ms) if _ms(until) >= since_ms else since_ms
                self._publish(None, reaches_ms, is_changed=bool(news or gone))
        return len(found)

    def _between(self, first_ms: int, end_ms: int) -> list[Alert]:
        with self._lock:
            rows = self._by_id.values()
            return [alert for alert in rows if first_ms <= alert.decided_at_ms < end_ms]

    def _add(self, found: Iterable[Alert]) -> list[Alert]:
        news = []
        for alert in found:
            known = self._by_id.get(alert.transaction_id)
            if known is None or known.decided_at_ms < alert.decided_at_ms:
                self._by_id[alert.transaction_id] = alert
                news.append(alert)
        return news

    def _publish(self, now: datetime | None, since_ms: int, *, is_changed: bool) -> None:
        before = self._seen
        read_at_ms = _ms(now) if now else before.read_at_ms if before else 0
        first_ms = read_at_ms - REACH // timedelta(milliseconds=1)
        since_ms = max(since_ms, first_ms)
        if before is not None and not is_changed:
            self._seen = Seen(before.alerts, since_ms, read_at_ms, before.arrivals)
            return
        young = [alert for alert in self._by_id.values() if alert.decided_at_ms >= first_ms]
        alerts = tuple(in_order(young)[: self._most])
        if len(alerts) < len(young):
            since_ms = max(since_ms, alerts[-1].decided_at_ms + 1)
        if len(alerts) < len(self._by_id):
            self._by_id = {alert.transaction_id: alert for alert in alerts}
        self._seen = Seen(alerts, since_ms, read_at_ms, tuple(self._arrivals))


def _whole_since_ms(found: list[Alert], since: datetime, limit: int) -> int:
    """From when on an answer leaves nothing out; as many as the limit may be cut within an ms."""
    return found[-1].decided_at_ms + 1 if found and len(found) >= limit else _ms(since)


def _end(now: datetime) -> datetime:
    """The end of the hour: a judge's clock may be a little ahead of ours."""
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _ms(instant: datetime) -> int:
    return int(instant.timestamp() * 1_000)
