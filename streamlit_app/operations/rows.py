"""Texts and table rows of the Operations page; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import pandas as pd

from fraudwatch.application.operations.dag_runs import DagRun
from fraudwatch.application.operations.latency import P50, P99, Histogram
from fraudwatch.application.operations.status import (
    ChannelStatus,
    ConsumerLag,
    DeadLetterCount,
    ServiceState,
    ServiceStatus,
)
from fraudwatch.domain.api_keys import ApiKey, KeyState
from fraudwatch.domain.policy.list_document import instant_text
from streamlit_app.view_models import UNKNOWN, age_text

_MIB: Final = 1024 * 1024
# Word and shape, so that colour alone never carries the meaning.
STATE_WORDS: Final = {
    ServiceState.GIVEN_UP: "✕ Given up",
    ServiceState.DOWN: "✕ Down",
    ServiceState.NOT_READY: "▲ Not ready",
    ServiceState.UNKNOWN: "○ Not probed",
    ServiceState.READY: "● Ready",
}
KEY_WORDS: Final = {
    KeyState.VALID: "● Valid",
    KeyState.EXPIRED: "○ Expired",
    KeyState.REVOKED: "✕ Revoked",
}
RUN_WORDS: Final = {
    "success": "● Success",
    "failed": "✕ Failed",
    "running": "▶ Running",
    "queued": "○ Queued",
}


def service_rows(services: Sequence[ServiceStatus], now_ms: int) -> pd.DataFrame:
    """Build the table of services."""
    return pd.DataFrame(
        [
            {
                "service": one.name,
                "state": STATE_WORDS[one.state],
                "since": _age_of(one.started_at_seconds, now_ms),
                "restarts": one.restarts,
                "memory": _mib(one.memory_bytes),
                "planned": _mib(one.planned_bytes),
            }
            for one in services
        ]
    )


def lag_rows(lags: Sequence[ConsumerLag]) -> pd.DataFrame:
    """Build the table of consumers."""
    return pd.DataFrame(
        [
            {
                "group": one.group,
                "topic": one.topic,
                "messages": one.messages,
                "seconds": one.oldest_seconds,
                "left": _span(one.retention_left_seconds),
            }
            for one in lags
        ]
    )


def dead_letter_rows(counts: Sequence[DeadLetterCount]) -> pd.DataFrame:
    """Build the table of dead letters, each with the command that lists them."""
    return pd.DataFrame(
        [
            {
                "stage": one.stage,
                "code": one.code,
                "messages": one.messages,
                "command": (f"./fraudwatch dead-letters ls --stage {one.stage} --code {one.code}"),
            }
            for one in counts
        ]
    )


def channel_rows(channels: Sequence[ChannelStatus]) -> pd.DataFrame:
    """Build the table of notification channels."""
    return pd.DataFrame(
        [
            {
                "channel": one.channel,
                "state": "✕ Failing" if one.is_failing else "● Works",
                "failures": one.failures,
                "given_up": UNKNOWN if one.given_up is None else str(one.given_up),
                "waiting": _span(one.oldest_waiting_seconds),
            }
            for one in channels
        ]
    )


def run_rows(runs: Sequence[DagRun]) -> pd.DataFrame:
    """Build the table of DAG runs."""
    return pd.DataFrame(
        [
            {
                "dag": one.dag,
                "state": RUN_WORDS.get(one.state, one.state),
                "started": (one.started_at or UNKNOWN)[:19].replace("T", " "),
                "took": _span(one.seconds),
                "log": one.url,
            }
            for one in runs
        ]
    )


def key_rows(keys: Sequence[ApiKey], now_ms: int) -> pd.DataFrame:
    """Build the table of API keys; none has a secret."""
    return pd.DataFrame(
        [
            {
                "key": one.key_id,
                "client": one.client,
                "state": KEY_WORDS[one.state(now_ms)],
                "scopes": ", ".join(one.scopes),
                "sources": ", ".join(one.sources) or "all",
                "rate": UNKNOWN if one.requests_per_second is None else _rate(one),
                "made": instant_text(one.created_at_ms),
                "expires": UNKNOWN
                if one.expires_at_ms is None
                else instant_text(one.expires_at_ms),
            }
            for one in keys
        ]
    )


def latency_texts(latency: Histogram | None) -> tuple[str, str]:
    """Format the median and the 99th percentile of the verdict latency."""
    if latency is None or not latency.count:
        return UNKNOWN, UNKNOWN
    bound = latency.buckets[-2][0] if len(latency.buckets) > 1 else 0.0
    p50, p99 = (_seconds(latency.quantile(ratio), bound) for ratio in (P50, P99))
    return p50, p99


def latency_window(latency: Histogram | None, window_ms: int | None) -> str:
    """Describe what the latency is of."""
    if latency is None:
        return "The detector exports no latency."
    since = (
        "since the detector was started"
        if window_ms is None
        else f"of the last {age_text(window_ms)}"
    )
    return f"From ingest's acknowledgement to the verdict's, {latency.count:,.0f} purchases {since}"


def worst_lag(lags: Sequence[ConsumerLag]) -> str:
    """Format the age of the oldest unread message."""
    return _span(max(one.oldest_seconds for one in lags)) if lags else UNKNOWN


def services_running(services: Sequence[ServiceStatus]) -> str:
    """Format how many services are ready."""
    if not services:
        return UNKNOWN
    working = sum(one.state in {ServiceState.READY, ServiceState.UNKNOWN} for one in services)
    return f"{working} of {len(services)}"


def _seconds(value: float, bound: float) -> str:
    return f"> {bound:g} s" if math.isinf(value) else f"{value:.2f} s"


def _span(seconds: float | None) -> str:
    if seconds is None or math.isnan(seconds) or math.isinf(seconds):
        return UNKNOWN
    return age_text(round(seconds * 1_000))


def _age_of(at_seconds: float | None, now_ms: int) -> str:
    return UNKNOWN if at_seconds is None else age_text(now_ms - round(at_seconds * 1_000))


def _mib(size_bytes: float | None) -> int | None:
    return None if size_bytes is None else round(size_bytes / _MIB)


def _rate(key: ApiKey) -> str:
    return f"{key.requests_per_second:g}/s"
