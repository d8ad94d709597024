"""Figures above the live list: alert counts, latency, trend; pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from fraudwatch.application.console.alerts import Alert
from fraudwatch.domain.time_units import HOUR_MS, MINUTE_MS
from streamlit_app.live.window import Arrival
from streamlit_app.view_models import age_text, duration_text

TREND_MINUTES: Final = 30
# A backlog of an hour ago must not count in the current latency.
LATENCY_WINDOW_MS: Final = 5 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures as texts, and the trend."""

    last_minute: str
    last_hour: str
    newest: str
    latency: str
    trend: tuple[int, ...]
    """Alerts in each full minute of the last half hour, oldest first."""


def figures_of(
    alerts: Sequence[Alert], now_ms: int, complete_since_ms: int, arrivals: Sequence[Arrival] = ()
) -> Figures:
    """Count alerts, given newest first; a plus marks a span that the window does not cover."""

    def counted(length_ms: int) -> str:
        since_ms = now_ms - length_ms
        mark = "+" if since_ms < complete_since_ms else ""
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
    """Count alerts by full minute, so that the chart is redrawn once a minute."""
    end_ms = now_ms // MINUTE_MS * MINUTE_MS
    edges = range(end_ms - TREND_MINUTES * MINUTE_MS, end_ms + 1, MINUTE_MS)
    since = [_count_since(alerts, edge) for edge in edges]
    return tuple(older - newer for older, newer in pairwise(since))


def _latency(arrivals: Sequence[Arrival], now_ms: int) -> str:
    """Median time from purchase to screen: writing and reading take longer than scoring."""
    since_ms = now_ms - LATENCY_WINDOW_MS
    recent = [arrival for arrival in arrivals if arrival.read_at_ms >= since_ms]
    took_ms = [arrival.took_ms for arrival in recent or arrivals[:1]]
    return duration_text(int(median(took_ms))) if took_ms else "none yet"


def _count_since(alerts: Sequence[Alert], since_ms: int) -> int:
    # Newest first: the negative time ascends.
    return bisect_left(alerts, -since_ms + 1, key=lambda alert: -alert.decided_at_ms)
