"""Patterns page: alerts by place, time and rule, compared with the period before."""

from __future__ import annotations

import logging

import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.ports import StoreUnavailable
from streamlit_app import navigation
from streamlit_app.console_services import ServiceSource
from streamlit_app.patterns import label_panel, rules_panel
from streamlit_app.patterns import panels as patterns_panels
from streamlit_app.patterns import queries as patterns_queries
from streamlit_app.patterns.figures import figures
from streamlit_app.patterns.label_rows import label_rows
from streamlit_app.patterns.labels import LabelSummary, label_figures, sentence
from streamlit_app.patterns.period import LENGTHS_DAYS, Period, length_words, parse_length
from streamlit_app.patterns.tally_sums import TallySums, comparable, merged
from streamlit_app.people import login

# The query parameter of the period's length.
PERIOD = "period"
_DAYS = "patterns_days"
_HINT = "No counts are lost. Run `./fraudwatch status` to see what is down, then press R to reload."

logger = logging.getLogger(__name__)


def show(source: ServiceSource) -> None:
    """Draw the page: the counts first, then the labels, which take longer."""
    person = login.require(Right.SEE)
    # Not as a default: that would follow the address, which follows the choice.
    st.session_state.setdefault(_DAYS, parse_length(navigation.query_parameter(PERIOD)))
    chosen = st.segmented_control(
        "Period", LENGTHS_DAYS, format_func=length_words, key=_DAYS, required=True
    )
    period = Period(chosen or parse_length(None), source.clock())
    st.query_params[PERIOD] = str(period.days)
    st.caption(_period_caption(period))
    with st.spinner(f"Reading the counts of {2 * period.days} days", show_time=True):
        counted = _counted(source, person, period)
    # Placeholders in page order, as labels are read last.
    top = st.container(horizontal=True)
    notes, groups, rules, alert_trend, label_trends = (st.container() for _ in range(5))
    if counted is not None:
        if not counted[1].days:
            notes.caption(
                f"No comparison: some or all days of {period.before_words} have no purchases."
                if period.days > 1
                else "No comparison: yesterday has no purchases."
            )
        patterns_panels.metrics(top, figures(*counted, period))
        with groups:
            patterns_panels.groups(*counted, period)
        with alert_trend:
            patterns_panels.alert_trend(*counted, period)
    labels = _labelled(source, person, period, notes)
    if counted is not None:
        with rules:
            rules_panel.rules(*counted, labels.rules if labels else {})
    if labels is not None:
        is_before_known = counted is not None and bool(counted[1].days)
        shown = label_figures(labels, period, is_before_known=is_before_known)
        patterns_panels.metrics(top, shown)
        with label_trends:
            label_panel.label_trends(
                label_rows(labels, period, is_before_known=is_before_known), period
            )


def _period_caption(period: Period) -> str:
    first, last = period.before[0], period.before[-1]
    span = f"{first:%d %b}" if first == last else f"{first:%d %b} to {last:%d %b}"
    return (
        f"Purchases of {period.current[0]:%d %b} to now, {period.now:%H:%M}, compared with {span}. "
        "Days and hours are those of the purchase, not of the verdict."
    )


def _counted(
    source: ServiceSource, person: Person, period: Period
) -> tuple[TallySums, TallySums] | None:
    """Read the sums of the period and of the one before, as far as the store answers."""
    try:
        past = patterns_queries.past(source, person, period.current[:-1])
        before_but_last = patterns_queries.past(source, person, period.before[:-1])
        last_before = patterns_queries.past(source, person, period.before[-1:])
    except StoreUnavailable as error:
        logger.warning("The store does not answer the counts: %s", error)
        st.error(f"The counts cannot be shown: the store (Cassandra) does not answer. {_HINT}")
        return None
    try:
        current = patterns_queries.with_today(source, person, past, period.today)
    except StoreUnavailable as error:
        logger.warning("The store does not answer the counts of today: %s", error)
        st.error(f"Today is missing: the store (Cassandra) does not answer. {_HINT}")
        # Without today, the corresponding day of the period before must not count either.
        before = comparable(before_but_last, period.before[:-1])
        return (past, before) if period.days > 1 else None
    if not current.all.purchases:
        st.info(
            f"No purchases for {period.words}. If some should be coming in, "
            "`./fraudwatch status` shows whether ingest, detector and tally are running; "
            "or choose a longer period."
        )
    return current, comparable(merged(before_but_last, last_before), period.before)


def _labelled(
    source: ServiceSource, person: Person, period: Period, notes: patterns_panels.Place
) -> LabelSummary | None:
    """Read the labels; None if the store does not answer."""
    try:
        with notes, st.spinner("Reading the labels", show_time=True):
            known = patterns_queries.labelled(source, person, period)
    except StoreUnavailable as error:
        logger.warning("The store does not answer the labels: %s", error)
        notes.error(
            "Value caught and false positives are missing: the store (Cassandra) does not answer "
            f"the query for labels. The rest is complete. {_HINT}"
        )
        return None
    notes.caption(sentence(known))
    return known
