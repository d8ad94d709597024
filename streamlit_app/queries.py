"""What the console asks the store: the only module here that reads it, shared by all sessions.

A session that finds a fresh answer does not ask again, so a hundred analysts load the store like
one. Errors are not kept: the next refresh asks anew, which is how the console recovers by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import streamlit as st

from fraudwatch.application.alerts import Alert
from fraudwatch.application.ports import AlertReader
from fraudwatch.domain.verdict import Risk
from streamlit_app.metrics import asked

MOST_SHOWN = 100
# With a refresh each second an answer this old is the most that "within two seconds" can bear.
FRESH_FOR = timedelta(seconds=0.5)
# Counting an hour of a busy store reads many rows; nobody misses the last ten seconds of it.
HOUR_COUNT_FRESH_FOR = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Source:
    """Where alerts come from and what time it is: set once, in ``app.main``."""

    open_reader: Callable[[], AlertReader]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def now_ms(self) -> int:
        """The clock as epoch ms UTC."""
        return int(self.clock().timestamp() * 1_000)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the store said at one moment."""

    read_at_ms: int
    alerts: tuple[Alert, ...]
    in_last_minute: int
    in_last_hour: int

    def only(self, risks: Collection[Risk]) -> Snapshot:
        """The same with the alerts of these risks alone."""
        return replace(self, alerts=tuple(a for a in self.alerts if a.risk in risks))


def read(source: Source, risks: Collection[Risk]) -> Snapshot:
    """The newest alerts of these risks, at most half a second old.

    Raises:
        StoreUnavailable: the store does not answer; the next call asks again.
    """
    chosen = tuple(sorted(risks))
    seen = _snapshot(source, chosen)
    # The hour is counted less often than the minute, and must not look smaller than its part.
    in_last_hour = max(_count_of_last_hour(source, chosen), seen.in_last_minute)
    return replace(seen, in_last_hour=in_last_hour)


@st.cache_resource(show_spinner=False)
def _reader(_source: Source) -> AlertReader:
    return _source.open_reader()


@st.cache_data(ttl=FRESH_FOR, show_spinner=False)
def _snapshot(_source: Source, risks: tuple[Risk, ...]) -> Snapshot:
    now = _source.clock()
    with asked("latest"):
        alerts = _reader(_source).latest(MOST_SHOWN, now=now, risks=risks)
    with asked("count_of_minute"):
        since = now - timedelta(minutes=1)
        in_last_minute = _reader(_source).count_since(since, now=now, risks=risks)
    return Snapshot(_source.now_ms(), tuple(alerts), in_last_minute, in_last_hour=0)


@st.cache_data(ttl=HOUR_COUNT_FRESH_FOR, show_spinner=False)
def _count_of_last_hour(_source: Source, risks: tuple[Risk, ...]) -> int:
    now = _source.clock()
    with asked("count_of_hour"):
        return _reader(_source).count_since(now - timedelta(hours=1), now=now, risks=risks)
