"""Window of the newest alerts, in memory for all sessions, updated from the store.

The persister may lag, so alerts can be written long after they were decided. Three reads, each
wider and rarer, find them: the last minute each time, the last hours, and the whole window.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fraudwatch.application.console.alerts import Alert, in_order
from fraudwatch.application.ports import AlertReader
from fraudwatch.domain.instants import epoch_ms_of

MAX_ALERTS: Final = 20_000
REACH: Final = timedelta(days=7)
# Read before the first page is shown; the rest is read in the background.
FIRST_ALERTS, FIRST_REACH = 200, timedelta(hours=24)
OVERLAP: Final = timedelta(minutes=1)
LATE_REACH: Final = timedelta(hours=2)
FULL_READ_EVERY: Final = timedelta(minutes=15)
# After a pause this long, there may be more new alerts than a page can wait for.
LONG_PAUSE: Final = timedelta(minutes=10)
# After a longer gap between reads, the arrival time of a new alert is not known.
MAX_ARRIVAL_GAP: Final = timedelta(seconds=5)
MAX_ARRIVALS: Final = 20
_STEP: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Time at which an alert was first read, and how long after its purchase."""

    read_at_ms: int
    took_ms: int


@dataclass(frozen=True, slots=True)
class WindowSnapshot:
    """Alerts at one moment, newest first, complete since ``since_ms``."""

    alerts: tuple[Alert, ...]
    since_ms: int
    read_at_ms: int
    arrivals: tuple[Arrival, ...] = ()
    """Latest arrivals while the list was open, last one first."""


class AlertWindow:
    """Newest alerts, one a transaction; any thread may call it, and one at a time reads."""

    def __init__(self, reader: AlertReader, max_alerts: int = MAX_ALERTS) -> None:
        self._reader, self._max_alerts = reader, max_alerts
        self._lock = threading.Lock()
        self._by_id: dict[str, Alert] = {}
        self._snapshot: WindowSnapshot | None = None
        self._arrivals: deque[Arrival] = deque(maxlen=MAX_ARRIVALS)
        self._read_at: datetime | None = None
        self._read_back_at: datetime | None = None
        self._full_read_at: datetime | None = None

    def snapshot(self) -> WindowSnapshot | None:
        """Return the last snapshot without a query; None before the first read."""
        return self._snapshot

    def read_newest(self, now: datetime) -> None:
        """Read the alerts decided since the last read, and the minute before it.

        Raises:
            StoreUnavailable: nothing has changed; the next call catches up.
        """
        last = self._read_at
        is_long_ago = last is None or now - last > LONG_PAUSE
        since = now - FIRST_REACH if last is None else min(last, now) - OVERLAP
        limit = min(FIRST_ALERTS, self._max_alerts) if is_long_ago else self._max_alerts
        found = self._reader.decided_between(since, _end(now), limit=limit)
        with self._lock:
            complete_ms = _complete_since_ms(found, since, limit)
            if self._snapshot is not None and complete_ms <= epoch_ms_of(since):
                complete_ms = min(complete_ms, self._snapshot.since_ms)
            if complete_ms > epoch_ms_of(since):
                # There is a gap between this answer and the older alerts: read all of them again.
                self._full_read_at = None
            new_alerts = self._add(found)
            if last is not None and now - last <= MAX_ARRIVAL_GAP:
                took_ms = sorted(
                    (epoch_ms_of(now) - alert.event_at_ms for alert in new_alerts), reverse=True
                )
                self._arrivals.extendleft(
                    Arrival(epoch_ms_of(now), max(0, took)) for took in took_ms
                )
            self._publish(now, complete_ms, is_changed=bool(new_alerts))
        self._read_at = now

    def read_back(self, now: datetime) -> None:
        """Read older alerts again, to find late ones: the last hours, or all of them when due.

        Alerts deleted from the store (crypto-erasure) are removed from the window as well.

        Raises:
            StoreUnavailable: what was read before the error stays; the next call starts anew.
        """
        is_full = self._full_read_at is None or now - self._full_read_at >= FULL_READ_EVERY
        read_until = min(self._read_back_at or now, now)
        first = now - REACH if is_full else read_until - LATE_REACH
        until, left = _end(now), self._max_alerts
        while until > first and left > 0:
            since = max(first, until - _STEP)
            left -= self._reread(since, until, left)
            until = since
        self._read_back_at = now
        if is_full:
            self._full_read_at = now

    def _reread(self, since: datetime, until: datetime, limit: int) -> int:
        known = self._between(epoch_ms_of(since), epoch_ms_of(until))
        found = self._reader.decided_between(since, until, limit=limit)
        complete_ms = _complete_since_ms(found, since, limit)
        found_ids = {alert.transaction_id for alert in found}
        with self._lock:
            gone = [
                alert.transaction_id
                for alert in known
                if alert.transaction_id not in found_ids
                and alert.decided_at_ms >= complete_ms
                and self._by_id.get(alert.transaction_id) is alert
            ]
            for name in gone:
                del self._by_id[name]
            new_alerts = self._add(found)
            if self._snapshot is not None:
                since_ms = self._snapshot.since_ms
                # Only an adjoining span extends the window: no gap may count as read.
                reaches_ms = (
                    min(since_ms, complete_ms) if epoch_ms_of(until) >= since_ms else since_ms
                )
                self._publish(None, reaches_ms, is_changed=bool(new_alerts or gone))
        return len(found)

    def _between(self, first_ms: int, end_ms: int) -> list[Alert]:
        with self._lock:
            rows = self._by_id.values()
            return [alert for alert in rows if first_ms <= alert.decided_at_ms < end_ms]

    def _add(self, found: Iterable[Alert]) -> list[Alert]:
        new_alerts = []
        for alert in found:
            known = self._by_id.get(alert.transaction_id)
            if known is None or known.decided_at_ms < alert.decided_at_ms:
                self._by_id[alert.transaction_id] = alert
                new_alerts.append(alert)
        return new_alerts

    def _publish(self, now: datetime | None, since_ms: int, *, is_changed: bool) -> None:
        before = self._snapshot
        read_at_ms = epoch_ms_of(now) if now else before.read_at_ms if before else 0
        first_ms = read_at_ms - REACH // timedelta(milliseconds=1)
        since_ms = max(since_ms, first_ms)
        if before is not None and not is_changed:
            self._snapshot = WindowSnapshot(before.alerts, since_ms, read_at_ms, before.arrivals)
            return
        young = [alert for alert in self._by_id.values() if alert.decided_at_ms >= first_ms]
        alerts = tuple(in_order(young)[: self._max_alerts])
        if len(alerts) < len(young):
            since_ms = max(since_ms, alerts[-1].decided_at_ms + 1)
        if len(alerts) < len(self._by_id):
            self._by_id = {alert.transaction_id: alert for alert in alerts}
        self._snapshot = WindowSnapshot(alerts, since_ms, read_at_ms, tuple(self._arrivals))


def _complete_since_ms(found: list[Alert], since: datetime, limit: int) -> int:
    """Start of the complete part of an answer; at the limit, its last millisecond may be cut."""
    return found[-1].decided_at_ms + 1 if found and len(found) >= limit else epoch_ms_of(since)


def _end(now: datetime) -> datetime:
    """End of the current hour: the detector's clock may be a little ahead of ours."""
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
