"""Queries of the patterns page, cached for all sessions as sums, not as rows.

Errors are not cached: the next run queries again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final

import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.domain.evaluation.labelled_alerts import (
    count_labelled_alerts,
    decided_by_analysts,
    label_counts_by_rule,
)
from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.domain.messages.verdict import Verdict
from streamlit_app.console_services import ServiceSource
from streamlit_app.metrics import timed_query
from streamlit_app.patterns.labels import ByDay, LabelSummary
from streamlit_app.patterns.period import Period
from streamlit_app.patterns.tally_sums import TallySums, merged, sum_tallies

# Only late purchases change a past day, and they are few.
PAST_FRESH_FOR: Final = timedelta(minutes=10)
TODAY_FRESH_FOR: Final = timedelta(seconds=10)
LABELS_FRESH_FOR: Final = timedelta(minutes=1)
# Each label costs one look-up of a verdict.
MAX_LABELS: Final = 5_000


def past(source: ServiceSource, person: Person, days: Iterable[date]) -> TallySums:
    """Read the sums of past days, at most ten minutes old.

    Raises:
        Forbidden: the person's role does not see them.
        StoreUnavailable: the store does not answer.
    """
    person.require(Right.SEE)
    wanted = tuple(days)
    return _past(source, wanted) if wanted else TallySums()


def with_today(
    source: ServiceSource, person: Person, past_days: TallySums, today: date
) -> TallySums:
    """Add today, at most ten seconds old, to the past days; raises as :func:`past`."""
    person.require(Right.SEE)
    return merged(past_days, _today(source, today))


def labelled(source: ServiceSource, person: Person, period: Period) -> LabelSummary:
    """Read the outcomes of labelled purchases, by the newest labels; raises as :func:`past`."""
    person.require(Right.SEE)
    return _labelled(source, period.current, period.now)


@st.cache_data(ttl=PAST_FRESH_FOR, show_spinner=False)
def _past(_source: ServiceSource, days: tuple[date, ...]) -> TallySums:
    with timed_query("tallies_of_past_days"):
        return sum_tallies(_source.services().tallies.tallies(days))


@st.cache_data(ttl=TODAY_FRESH_FOR, show_spinner=False)
def _today(_source: ServiceSource, day: date) -> TallySums:
    with timed_query("tallies_of_today"):
        return sum_tallies(_source.services().tallies.tallies([day]))


@st.cache_data(ttl=LABELS_FRESH_FOR, show_spinner=False)
def _labelled(_source: ServiceSource, days: tuple[date, ...], _now: datetime) -> LabelSummary:
    cases, period = _source.services().cases, Period(len(days), _now)
    # A label is never older than its purchase: older labels belong to older days.
    with timed_query("labels"):
        known = cases.labels_known(period.before_starts_at, now=period.now)
    read = known[:MAX_LABELS]
    with timed_query("verdicts_of_labels"):
        verdicts = cases.verdicts_of({label.transaction_id for label in read}).values()
    current = _between(verdicts, period.starts_at, period.now)
    before = _between(verdicts, period.before_starts_at, period.before_ends_at)
    decided = decided_by_analysts(read)
    return LabelSummary(
        all=ByDay(count_labelled_alerts(current, read), count_labelled_alerts(before, read)),
        decided=ByDay(
            count_labelled_alerts(current, decided), count_labelled_alerts(before, decided)
        ),
        rules=label_counts_by_rule(current, read),
        labels_known=len(known),
        labels_read=len(read),
    )


def _between(verdicts: Iterable[Verdict], first: datetime, end: datetime) -> list[Verdict]:
    first_ms, end_ms = epoch_ms_of(first), epoch_ms_of(end)
    return [one for one in verdicts if first_ms <= one.event_at_ms < end_ms]
