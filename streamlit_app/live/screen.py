"""Live alerts: the newest first, refreshed each second, in words that say why."""

from __future__ import annotations

import logging

import streamlit as st

from fraudwatch.application.access import Person, Right
from fraudwatch.application.alerts import Alert
from streamlit_app import metrics, navigation
from streamlit_app.desk import Source
from streamlit_app.live import queries
from streamlit_app.live import table as live_table
from streamlit_app.live.figures import Figures, figures_of
from streamlit_app.live.filter_bar import Choice, choose
from streamlit_app.live.filters import options_of
from streamlit_app.live.groups import Group, grouped, single
from streamlit_app.live.queries import Answer
from streamlit_app.live.window import Seen
from streamlit_app.people import login
from streamlit_app.view_models import age_text, clock_time

REFRESH = "1s"
METRIC_WIDTH_PX = 170  # two side by side on a phone
LATENCY_MEANING = (
    "From the purchase until this console has read its alert: median of the last 20 that came in "
    "the last 5 minutes while the list was open; where there are none, of the last one that did"
)
LINES_AT_ONCE, MOST_LINES = 100, 500
_KEPT, _UNREACHABLE_SINCE = "live_kept_answer", "live_unreachable_since_ms"
_LINES, _TO_OPEN = "live_lines", "live_case_to_open"

# Streamlit greys what it is about to redraw; each second, that would be flicker.
_NO_FLICKER = "<style>[data-stale='true'] { opacity: 1 !important; transition: none }</style>"

logger = logging.getLogger(__name__)


def show(source: Source) -> None:
    """The page: filters and pause stay put, everything below them refreshes by itself."""
    login.require(Right.SEE)
    # Left from here, not from the part that refreshes by itself: its next refresh would already
    # be on the way, and would come to a page that knows nothing of it.
    if transaction_id := st.session_state.pop(_TO_OPEN, None):
        navigation.open_case(transaction_id)
        return
    st.html(_NO_FLICKER)
    known: Answer = st.session_state.get(_KEPT) or _look(source, is_paused=False)
    choice = choose(options_of(known.seen.alerts if known.seen else ()))
    board = st.fragment(_board, run_every=None if choice.is_paused else REFRESH)
    board(source, choice)


def _board(source: Source, choice: Choice) -> None:
    # Asked here as well: a refresh runs this part alone.
    person = login.require(Right.SEE)
    if transaction_id := live_table.clicked_case():
        st.session_state[_TO_OPEN] = transaction_id
        st.rerun()
    answer = _look(source, is_paused=choice.is_paused)
    now_ms = source.now_ms()
    # Always there, so that a message that comes or goes does not make the list jump and redraw.
    with st.container():
        _tell_state(answer, now_ms, is_paused=choice.is_paused)
    if answer.seen is not None:
        # What is held still or came before a silence is as old as it was then.
        is_old = choice.is_paused
        _list(answer, answer.seen, choice, person, answer.seen.read_at_ms if is_old else now_ms)


def _list(answer: Answer, seen: Seen, choice: Choice, person: Person, now_ms: int) -> None:
    filters = choice.filters
    asked = (seen.alerts, now_ms, answer.status, person.login)
    with st.container(horizontal=True):
        counted = filters.of_any_time().chosen(*asked)
        _figures(figures_of(counted, now_ms, seen.since_ms, seen.arrivals))
    chosen = filters.chosen(*asked)
    metrics.shown(len(chosen))
    if not chosen:
        _tell_nothing(seen, choice, now_ms)
        return
    groups = grouped(chosen) if choice.is_grouped else single(chosen)
    drawn = groups[: st.session_state.setdefault(_LINES, LINES_AT_ONCE)]
    st.caption(_told(drawn, chosen, seen) + _reach(seen, choice, now_ms))
    live_table.draw(drawn, seen.read_at_ms, answer.status, person.login)
    if len(drawn) < min(len(groups), MOST_LINES):
        st.button("Show older ones", on_click=_show_more)


def _look(source: Source, *, is_paused: bool) -> Answer:
    """What is known now, or what was known when the list was held, and since when it is old."""
    kept: Answer | None = st.session_state.get(_KEPT)
    if is_paused and kept is not None:
        return kept
    answer = queries.look(source)
    if answer.trouble is None:
        st.session_state.pop(_UNREACHABLE_SINCE, None)
    elif _UNREACHABLE_SINCE not in st.session_state:
        st.session_state[_UNREACHABLE_SINCE] = source.now_ms()
        logger.warning("The store does not answer the console: %s", answer.trouble)
    st.session_state[_KEPT] = answer
    return answer


def _tell_state(answer: Answer, now_ms: int, *, is_paused: bool) -> None:
    since_ms = st.session_state.get(_UNREACHABLE_SINCE)
    read_at = clock_time(answer.seen.read_at_ms, now_ms) if answer.seen else None
    if since_ms is not None:
        kept = f" Below is what it said at {read_at}." if read_at else ""
        st.error(
            f"The store (Cassandra) has not answered since {clock_time(since_ms, now_ms)} "
            f"({age_text(now_ms - since_ms)}). No verdict is lost: they wait in Kafka. Run "
            f"`./fraudwatch status` to see what is down; this page recovers by itself.{kept}"
        )
    elif is_paused and read_at:
        st.warning(f"Paused at {read_at}: newer alerts are not shown.")
    elif answer.is_status_old:
        st.warning(
            "Who works on what, and what was decided, may be out of date: the store is slow to "
            "say. The alerts themselves are up to date; a case tells when somebody else has it."
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
        "A minute, last half hour",
        f"{sum(figures.trend) / len(figures.trend):.1f}",
        border=True,
        width=METRIC_WIDTH_PX,
        height="stretch",
        chart_data=figures.trend,
        chart_type="bar",
        help="Whole minutes, oldest at the left",
    )


def _told(drawn: list[Group], chosen: list[Alert], seen: Seen) -> str:
    count = sum(len(group.alerts) for group in drawn)
    lines = f" in {len(drawn):,} lines" if count > len(drawn) else ""
    rest = "" if count == len(chosen) else f" of {len(chosen):,} that match,"
    return f"{count:,} alerts{lines} shown,{rest} of {len(seen.alerts):,} in the window."


def _reach(seen: Seen, choice: Choice, now_ms: int) -> str:
    """Until when the window reaches, if more is asked of it."""
    # A minute's grace: a window of the same length as the period is always a moment behind it.
    if now_ms - choice.filters.period_ms + 60_000 >= seen.since_ms:
        return ""
    return f" Older alerts than {clock_time(seen.since_ms, now_ms)} may be missing."


def _tell_nothing(seen: Seen, choice: Choice, now_ms: int) -> None:
    if seen.alerts:
        reach = _reach(seen, choice, now_ms)
        st.info(
            f"None of the {len(seen.alerts):,} alerts in the window is what the filters ask for."
            f"{reach} A longer time or fewer filters show more."
        )
        return
    st.info(
        "No alerts yet: nothing suspicious was decided in the last 24 hours. If purchases "
        "should be coming in, `./fraudwatch status` shows whether ingest, detector and "
        "persister are running."
    )


def _show_more() -> None:
    st.session_state[_LINES] = min(st.session_state[_LINES] + LINES_AT_ONCE, MOST_LINES)
