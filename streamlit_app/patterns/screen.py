"""Patterns: where, when and by which rule purchases become alerts, beside the period before."""

from __future__ import annotations

import logging

import streamlit as st

from fraudwatch.application.access import Person, Right
from fraudwatch.application.ports import StoreUnavailable
from streamlit_app import navigation
from streamlit_app.desk import Source
from streamlit_app.patterns import label_panel, rules_panel
from streamlit_app.patterns import panels as patterns_panels
from streamlit_app.patterns import queries as patterns_queries
from streamlit_app.patterns.figures import figures
from streamlit_app.patterns.fold import Folded, comparable, merged
from streamlit_app.patterns.label_rows import label_rows
from streamlit_app.patterns.labels import Labelled, label_figures, sentence
from streamlit_app.patterns.period import LENGTHS_DAYS, Period, length_asked, length_words
from streamlit_app.people import login

# The query parameter of the period's length.
PERIOD = "period"
_DAYS = "patterns_days"
_CURE = (
    "Nothing counted is lost. Run `./fraudwatch status` to see what is down, then press R to "
    "read again."
)

logger = logging.getLogger(__name__)


def show(source: Source) -> None:
    """The page: the counts first, which come at once; what labels say follows."""
    person = login.require(Right.SEE)
    # Not as a default: that would follow the address, which follows what was chosen.
    st.session_state.setdefault(_DAYS, length_asked(navigation.asked_for(PERIOD)))
    chosen = st.segmented_control(
        "Period", LENGTHS_DAYS, format_func=length_words, key=_DAYS, required=True
    )
    period = Period(chosen or length_asked(None), source.clock())
    st.query_params[PERIOD] = str(period.days)
    st.caption(_said_of(period))
    with st.spinner(f"Reading what was counted in {2 * period.days} days", show_time=True):
        counted = _counted(source, person, period)
    # Their places, so that labels can be read last and stand where they belong.
    top = st.container(horizontal=True)
    told, groups, rules, alert_trend, label_trends = (st.container() for _ in range(5))
    if counted is not None:
        if not counted[1].days:
            told.caption(
                "Nothing is compared: no purchases were counted on some or all days of "
                f"{period.before_words}."
                if period.days > 1
                else "Nothing is compared: no purchases were counted yesterday."
            )
        patterns_panels.metrics(top, figures(*counted, period))
        with groups:
            patterns_panels.groups(*counted, period)
        with alert_trend:
            patterns_panels.alert_trend(*counted, period)
    known = _labelled(source, person, period, told)
    if counted is not None:
        with rules:
            rules_panel.rules(*counted, known.rules if known else {})
    if known is not None:
        is_before_known = counted is not None and bool(counted[1].days)
        shown = label_figures(known, period, is_before_known=is_before_known)
        patterns_panels.metrics(top, shown)
        with label_trends:
            label_panel.label_trends(
                label_rows(known, period, is_before_known=is_before_known), period
            )


def _said_of(period: Period) -> str:
    first, last = period.before[0], period.before[-1]
    span = f"{first:%d %b}" if first == last else f"{first:%d %b} to {last:%d %b}"
    return (
        f"Purchases of {period.current[0]:%d %b} to now, {period.now:%H:%M}, beside {span}. "
        "Days and hours are those of the purchase, not of the verdict."
    )


def _counted(source: Source, person: Person, period: Period) -> tuple[Folded, Folded] | None:
    """The sums of the period and of the one before; as many of them as the store tells."""
    try:
        past = patterns_queries.past(source, person, period.current[:-1])
        before_but_last = patterns_queries.past(source, person, period.before[:-1])
        last_before = patterns_queries.past(source, person, period.before[-1:])
    except StoreUnavailable as error:
        logger.warning("The store does not tell what was counted: %s", error)
        st.error(f"The store (Cassandra) does not tell what was counted. {_CURE}")
        return None
    try:
        current = patterns_queries.with_today(source, person, past, period.today)
    except StoreUnavailable as error:
        logger.warning("The store does not tell what was counted today: %s", error)
        st.error(f"Today is missing: the store (Cassandra) does not tell its counts. {_CURE}")
        # Without today, the day of the period before that stands beside it must not count either.
        before = comparable(before_but_last, period.before[:-1])
        return (past, before) if period.days > 1 else None
    if not current.all.purchases:
        st.info(
            f"No purchases were counted for {period.words}. If some should be coming in, "
            "`./fraudwatch status` shows whether ingest, detector and tally are running; "
            "a longer period may have some."
        )
    return current, comparable(merged(before_but_last, last_before), period.before)


def _labelled(
    source: Source, person: Person, period: Period, told: patterns_panels.Place
) -> Labelled | None:
    """What labels say, once it is told; None if the store does not."""
    try:
        with told, st.spinner("Reading what labels say", show_time=True):
            known = patterns_queries.labelled(source, person, period)
    except StoreUnavailable as error:
        logger.warning("The store does not tell the labels: %s", error)
        told.error(
            "The store (Cassandra) does not tell what purchases turned out to be: value caught "
            f"and false positives are missing, the rest stands. {_CURE}"
        )
        return None
    told.caption(sentence(known))
    return known
