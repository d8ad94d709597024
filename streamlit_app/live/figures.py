"""The figures above the list; pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from fraudwatch.application.alerts import Alert
from streamlit_app.live.window import Arrival
from streamlit_app.view_models import age_text, duration_text

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
TREND_MINUTES: Final = 30
# What came in a rush an hour ago must not count for what comes now.
LATENCY_REACH_MS: Final = 5 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Figures:
    """In words, as they stand there."""

    last_minute: str
    last_hour: str
    newest: str
    latency: str
    trend: tuple[int, ...]
    """Alerts of each whole minute of the last half hour, oldest first."""


def figures_of(
    alerts: Sequence[Alert], now_ms: int, whole_since_ms: int, arrivals: Sequence[Arrival] = ()
) -> Figures:
    """Count alerts, newest first; a stretch that is not wholly known is told as "at least"."""

    def counted(length_ms: int) -> str:
        since_ms = now_ms - length_ms
        mark = "+" if since_ms < whole_since_ms else ""
        return f"{_count_since(alerts, since_ms):,}{mark}"

    newest = f"{age_text(now_ms - alerts[0].decided_at_ms)} ago" if alerts else "none"
    return Figures(
        counted(MINUTE_MS),
        counted(HOUR_MS),
        newest,
        _latency(arrivals, now_ms),
        trend_of(alerts, now_ms),
    )


def trend_of(alerts: Sequence[Alert], now_ms: int) -> tuple[int, ...]:
    """Only whole minutes: what changes once a minute is redrawn once a minute."""
    end_ms = now_ms // MINUTE_MS * MINUTE_MS
    edges = range(end_ms - TREND_MINUTES * MINUTE_MS, end_ms + 1, MINUTE_MS)
    since = [_count_since(alerts, edge) for edge in edges]
    return tuple(older - newer for older, newer in pairwise(since))


def _latency(arrivals: Sequence[Arrival], now_ms: int) -> str:
    """The whole way, not only to the verdict: writing and reading it take longer than judging."""
    since_ms = now_ms - LATENCY_REACH_MS
    recent = [arrival for arrival in arrivals if arrival.read_at_ms >= since_ms]
    took_ms = [arrival.took_ms for arrival in recent or arrivals[:1]]
    return duration_text(int(median(took_ms))) if took_ms else "none yet"


def _count_since(alerts: Sequence[Alert], since_ms: int) -> int:
    # Newest first, so by the negative time they ascend.
    return bisect_left(alerts, -since_ms + 1, key=lambda alert: -alert.decided_at_ms)
