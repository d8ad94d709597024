"""Live alerts: the newest first, refreshed each second, in words that say why."""

from __future__ import annotations

import logging
from collections.abc import Collection

import pandas as pd
import streamlit as st

from fraudwatch.application.alerts import ALERT_RISKS, Alert
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.verdict import Risk
from streamlit_app import login, metrics, queries
from streamlit_app.queries import Snapshot, Source
from streamlit_app.view_models import RISK_WORDS, age_text, clock_time, latency_text, row_of

REFRESH = "1s"
# Below 4 rem (of 14 px) the table cuts the reasons instead of wrapping them onto a second line.
ROW_HEIGHT_PX, HEADER_HEIGHT_PX = 57, 36
MOST_ROWS_VISIBLE = 11
METRIC_WIDTH_PX = 180  # two side by side on a phone
_KEPT, _UNREACHABLE_SINCE = "live_kept_snapshot", "live_unreachable_since_ms"
# Dark text on a tint of at least 7:1 contrast; the shape before the word says the same.
_RISK_STYLES = {
    RISK_WORDS[Risk.CRITICAL]: "background-color: #f6cfcb; color: #7a0f08; font-weight: 700",
    RISK_WORDS[Risk.HIGH]: "background-color: #fde3c0; color: #6b3a00; font-weight: 700",
    RISK_WORDS[Risk.MEDIUM]: "background-color: #fbf3c4; color: #544800; font-weight: 600",
}
# Not pinned: the table fades the letters of pinned columns.
_COLUMNS = {
    "risk": st.column_config.TextColumn("Risk", width=92),
    "decided_at": st.column_config.TextColumn("Time (UTC)", width=84),
    "age_seconds": st.column_config.NumberColumn("Age", format="%d s", width=68),
    "amount": st.column_config.TextColumn("Amount", width=112, alignment="right"),
    "merchant": st.column_config.TextColumn("Merchant", width=108),
    "reasons": st.column_config.TextColumn("Why", width=480),
    "outcome": st.column_config.TextColumn("Outcome", width=82),
    "country": st.column_config.TextColumn("Country", width=68, help="Seller's country"),
    "customer": st.column_config.TextColumn("Customer", width=86, help="Token, shortened"),
    "card": st.column_config.TextColumn("Card", width=80),
    "channel": st.column_config.TextColumn("Channel", width=100),
    "payment": st.column_config.TextColumn("Payment", width=140),
    "score": st.column_config.NumberColumn("Score", format="%.2f", width=60),
    "transaction": st.column_config.TextColumn("Transaction", width=180),
}

# Streamlit greys what it is about to redraw; each second, that would be flicker.
_NO_FLICKER = "<style>[data-stale='true'] { opacity: 1 !important; transition: none }</style>"

logger = logging.getLogger(__name__)


def show(source: Source) -> None:
    """The page: filter and pause stay put, everything below them refreshes by itself."""
    login.require()
    st.html(_NO_FLICKER)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.multiselect(
            "Risk",
            ALERT_RISKS,
            format_func=RISK_WORDS.__getitem__,
            placeholder="All risks",
            width=420,
        )
        is_paused = st.toggle("Pause", help="Hold the list still while you read")
    board = st.fragment(_board, run_every=None if is_paused else REFRESH)
    board(source, chosen or ALERT_RISKS, is_paused=is_paused)


def _board(source: Source, risks: Collection[Risk], *, is_paused: bool) -> None:
    seen = _look(source, risks, is_paused=is_paused)
    now_ms = source.now_ms()
    # Always there, so that a message that comes or goes does not make the list jump and redraw.
    with st.container():
        _tell_state(seen, now_ms, is_paused=is_paused)
    if seen is None:
        return
    shown = seen.only(risks)
    metrics.shown(len(shown.alerts))
    with st.container(horizontal=True):
        _metrics(shown, shown.read_at_ms if is_paused else now_ms)
    if shown.alerts:
        _table(shown)
    else:
        st.info(
            "No alerts yet: nothing suspicious was decided in the last 24 hours. If purchases "
            "should be coming in, `./fraudwatch status` shows whether ingest, detector and "
            "persister are running."
        )


def _look(source: Source, risks: Collection[Risk], *, is_paused: bool) -> Snapshot | None:
    """The store's newest answer, or the last one kept, and since when it has been silent."""
    kept: Snapshot | None = st.session_state.get(_KEPT)
    if is_paused and kept is not None:
        return kept
    try:
        kept = queries.read(source, risks)
    except StoreUnavailable as error:
        if _UNREACHABLE_SINCE not in st.session_state:
            st.session_state[_UNREACHABLE_SINCE] = source.now_ms()
            logger.warning("The store does not answer the console: %s", error)
    else:
        st.session_state[_KEPT] = kept
        st.session_state.pop(_UNREACHABLE_SINCE, None)
    return kept


def _tell_state(seen: Snapshot | None, now_ms: int, *, is_paused: bool) -> None:
    since_ms = st.session_state.get(_UNREACHABLE_SINCE)
    if since_ms is not None:
        kept = f" Below is what it said at {clock_time(seen.read_at_ms, now_ms)}." if seen else ""
        st.error(
            f"The store (Cassandra) has not answered since {clock_time(since_ms, now_ms)} UTC "
            f"({age_text(now_ms - since_ms)}). No verdict is lost: they wait in Kafka. Run "
            f"`./fraudwatch status` to see what is down; this page recovers by itself.{kept}"
        )
    elif is_paused and seen is not None:
        st.warning(
            f"Paused at {clock_time(seen.read_at_ms, now_ms)} UTC: newer alerts are not shown."
        )


def _metrics(shown: Snapshot, now_ms: int) -> None:
    newest: Alert | None = shown.alerts[0] if shown.alerts else None
    age = f"{age_text(now_ms - newest.decided_at_ms)} ago" if newest else "none"
    st.metric(
        "Alerts, last minute", f"{shown.in_last_minute:,}", border=True, width=METRIC_WIDTH_PX
    )
    st.metric("Alerts, last hour", f"{shown.in_last_hour:,}", border=True, width=METRIC_WIDTH_PX)
    st.metric("Newest alert", age, border=True, width=METRIC_WIDTH_PX)
    st.metric(
        "Purchase to alert",
        latency_text(newest) if newest else "none",
        border=True,
        width=METRIC_WIDTH_PX,
        help="From the newest alert's purchase to its verdict",
    )


def _table(shown: Snapshot) -> None:
    rows = pd.DataFrame([row_of(alert, shown.read_at_ms) for alert in shown.alerts])
    visible = min(len(rows), MOST_ROWS_VISIBLE)
    st.dataframe(
        rows.style.map(lambda word: _RISK_STYLES.get(word, ""), subset=["risk"]),
        key="live_alerts",
        hide_index=True,
        column_config=_COLUMNS,
        row_height=ROW_HEIGHT_PX,
        height=visible * ROW_HEIGHT_PX + HEADER_HEIGHT_PX + 2,
    )
