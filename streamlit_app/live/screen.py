"""Live page: alerts, newest first, with their reasons; refreshed each second."""

from __future__ import annotations

import logging

import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.alerts import Alert
from streamlit_app import metrics, navigation
from streamlit_app.console_services import ServiceSource
from streamlit_app.live import export, queries
from streamlit_app.live import table as live_table
from streamlit_app.live.figures import Figures, figures_of
from streamlit_app.live.filter_bar import Choice, choose
from streamlit_app.live.filters import options_of
from streamlit_app.live.groups import Group, grouped, single
from streamlit_app.live.queries import LiveState
from streamlit_app.live.window import WindowSnapshot
from streamlit_app.people import login
from streamlit_app.view_models import age_text, clock_time

REFRESH = "1s"
METRIC_WIDTH_PX = 170  # two side by side on a phone
LATENCY_MEANING = (
    "From the purchase until this console read its alert: median of the last 20 alerts that came "
    "within the last 5 minutes while the list was open; if there were none, the last one"
)
LINES_AT_ONCE, MAX_LINES = 100, 500
_LAST_STATE, _UNAVAILABLE_SINCE = "live_last_state", "live_unavailable_since_ms"
_LINES, _TO_OPEN = "live_lines", "live_case_to_open"

# Streamlit greys elements before it redraws them: each second, that would flicker.
_NO_FLICKER = "<style>[data-stale='true'] { opacity: 1 !important; transition: none }</style>"

logger = logging.getLogger(__name__)


def show(source: ServiceSource) -> None:
    """Draw the page; everything below the filters refreshes by itself."""
    login.require(Right.SEE)
    # Leave from here, not from the fragment: its next refresh may be under way already, and would
    # reach a page that does not have it.
    if transaction_id := st.session_state.pop(_TO_OPEN, None):
        navigation.open_case(transaction_id)
        return
    st.html(_NO_FLICKER)
    known: LiveState = st.session_state.get(_LAST_STATE) or _look(source, is_paused=False)
    choice = choose(options_of(known.snapshot.alerts if known.snapshot else ()))
    board = st.fragment(_board, run_every=None if choice.is_paused else REFRESH)
    board(source, choice)


def _board(source: ServiceSource, choice: Choice) -> None:
    # Checked here as well: a refresh runs this fragment alone.
    person = login.require(Right.SEE)
    if transaction_id := live_table.clicked_case():
        st.session_state[_TO_OPEN] = transaction_id
        st.rerun()
    state = _look(source, is_paused=choice.is_paused)
    now_ms = source.now_ms()
    # Always there, so that the list does not move when a message comes or goes.
    with st.container():
        _show_state(state, now_ms, is_paused=choice.is_paused)
    if state.snapshot is not None:
        # A paused list keeps its ages.
        shown_at_ms = state.snapshot.read_at_ms if choice.is_paused else now_ms
        _list(state, state.snapshot, choice, person, shown_at_ms)


def _list(
    state: LiveState, snapshot: WindowSnapshot, choice: Choice, person: Person, now_ms: int
) -> None:
    filters = choice.filters
    scope = (snapshot.alerts, now_ms, state.status, person.login)
    with st.container(horizontal=True):
        counted = filters.of_any_time().chosen(*scope)
        _figures(figures_of(counted, now_ms, snapshot.since_ms, snapshot.arrivals))
    chosen = filters.chosen(*scope)
    metrics.set_alerts_shown(len(chosen))
    if not chosen:
        _show_nothing_found(snapshot, choice, now_ms)
        return
    groups = grouped(chosen) if choice.is_grouped else single(chosen)
    drawn = groups[: st.session_state.setdefault(_LINES, LINES_AT_ONCE)]
    st.caption(_count_line(drawn, chosen, snapshot) + _reach(snapshot, choice, now_ms))
    lines = live_table.draw(drawn, snapshot.read_at_ms, state.status, person.login)
    with st.container(horizontal=True):
        if len(drawn) < min(len(groups), MAX_LINES):
            st.button("Show older ones", on_click=_show_more)
        export.button(person, lines)


def _look(source: ServiceSource, *, is_paused: bool) -> LiveState:
    """Return the current state, or the state at the time of the pause."""
    last: LiveState | None = st.session_state.get(_LAST_STATE)
    if is_paused and last is not None:
        return last
    state = queries.look(source)
    if state.error is None:
        st.session_state.pop(_UNAVAILABLE_SINCE, None)
    elif _UNAVAILABLE_SINCE not in st.session_state:
        st.session_state[_UNAVAILABLE_SINCE] = source.now_ms()
        logger.warning("The store does not answer the live page: %s", state.error)
    st.session_state[_LAST_STATE] = state
    return state


def _show_state(state: LiveState, now_ms: int, *, is_paused: bool) -> None:
    since_ms = st.session_state.get(_UNAVAILABLE_SINCE)
    read_at = clock_time(state.snapshot.read_at_ms, now_ms) if state.snapshot else None
    if since_ms is not None:
        shown = f" Below are the alerts as of {read_at}." if read_at else ""
        st.error(
            f"The store (Cassandra) has not answered since {clock_time(since_ms, now_ms)} "
            f"({age_text(now_ms - since_ms)}). No verdict is lost: Kafka keeps them. Run "
            f"`./fraudwatch status` to see what is down; this page recovers on its own.{shown}"
        )
    elif is_paused and read_at:
        st.warning(f"Paused at {read_at}: newer alerts are not shown.")
    elif state.is_status_old:
        st.warning(
            "The status of cases may be out of date: the store is slow. The alerts are up to "
            "date, and a case shows who has claimed it."
        )


def _figures(figures: Figures) -> None:
    texts = (
        ("Alerts, last minute", figures.last_minute, None),
        ("Alerts, last hour", figures.last_hour, None),
        ("Newest alert", figures.newest, None),
        ("Purchase to alert", figures.latency, LATENCY_MEANING),
    )
    for label, text, meaning in texts:
        st.metric(label, text, border=True, width=METRIC_WIDTH_PX, height="stretch", help=meaning)
    st.metric(
        "Alerts per minute",
        f"{sum(figures.trend) / len(figures.trend):.1f}",
        border=True,
        width=METRIC_WIDTH_PX,
        height="stretch",
        chart_data=figures.trend,
        chart_type="bar",
        help="Average of the last half hour; the bars are full minutes, oldest at the left",
    )


def _count_line(drawn: list[Group], chosen: list[Alert], snapshot: WindowSnapshot) -> str:
    count = sum(len(group.alerts) for group in drawn)
    lines = f" in {len(drawn):,} lines" if count > len(drawn) else ""
    rest = "" if count == len(chosen) else f" of {len(chosen):,} that match,"
    return f"{count:,} alerts{lines} shown,{rest} of {len(snapshot.alerts):,} in the window."


def _reach(snapshot: WindowSnapshot, choice: Choice, now_ms: int) -> str:
    """Say where the window ends if the period reaches further back."""
    # A minute of tolerance: a window as long as the period is always a moment behind.
    if now_ms - choice.filters.period_ms + 60_000 >= snapshot.since_ms:
        return ""
    return f" Alerts before {clock_time(snapshot.since_ms, now_ms)} may be missing."


def _show_nothing_found(snapshot: WindowSnapshot, choice: Choice, now_ms: int) -> None:
    if snapshot.alerts:
        reach = _reach(snapshot, choice, now_ms)
        st.info(
            f"None of the {len(snapshot.alerts):,} alerts in the window matches the filters."
            f"{reach} Choose a longer time or fewer filters."
        )
        return
    st.info(
        "No alerts in the last 24 hours. If purchases "
        "should be coming in, `./fraudwatch status` shows whether ingest, detector and "
        "persister are running."
    )


def _show_more() -> None:
    st.session_state[_LINES] = min(st.session_state[_LINES] + LINES_AT_ONCE, MAX_LINES)
