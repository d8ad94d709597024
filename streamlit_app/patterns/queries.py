"""What the patterns screen asks the store, shared by all sessions and kept as sums, not as rows.

Errors are not kept: the next look asks anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final

import streamlit as st

from fraudwatch.application.access import Person, Right
from fraudwatch.domain.labelled import decided_by_analysts, outcomes, truths_by_rule
from fraudwatch.domain.verdict import Verdict
from streamlit_app.desk import Source
from streamlit_app.metrics import asked
from streamlit_app.patterns.fold import Folded, fold, merged
from streamlit_app.patterns.labels import ByDay, Labelled
from streamlit_app.patterns.period import Period

# A past day changes by purchases that come late, and those are few.
PAST_FRESH_FOR: Final = timedelta(minutes=10)
TODAY_FRESH_FOR: Final = timedelta(seconds=10)
LABELS_FRESH_FOR: Final = timedelta(minutes=1)
# Each label costs the store one look-up of a verdict.
MOST_LABELS: Final = 5_000


def past(source: Source, person: Person, days: Iterable[date]) -> Folded:
    """The sums of days that are over, at most ten minutes old.

    Raises:
        Forbidden: the person's role does not see them.
        StoreUnavailable: the store does not answer.
    """
    person.require(Right.SEE)
    wanted = tuple(days)
    return _past(source, wanted) if wanted else Folded()


def with_today(source: Source, person: Person, past_days: Folded, today: date) -> Folded:
    """The same with today, which is at most ten seconds old; raises as :func:`past`."""
    person.require(Right.SEE)
    return merged(past_days, _today(source, today))


def labelled(source: Source, person: Person, period: Period) -> Labelled:
    """What became of labelled purchases, by the newest labels; raises as :func:`past`."""
    person.require(Right.SEE)
    return _labelled(source, period.current, period.now)


@st.cache_data(ttl=PAST_FRESH_FOR, show_spinner=False)
def _past(_source: Source, days: tuple[date, ...]) -> Folded:
    with asked("tallies_of_past_days"):
        return fold(_source.desk().tallies.tallies(days))


@st.cache_data(ttl=TODAY_FRESH_FOR, show_spinner=False)
def _today(_source: Source, day: date) -> Folded:
    with asked("tallies_of_today"):
        return fold(_source.desk().tallies.tallies([day]))


@st.cache_data(ttl=LABELS_FRESH_FOR, show_spinner=False)
def _labelled(_source: Source, days: tuple[date, ...], _now: datetime) -> Labelled:
    cases, period = _source.desk().cases, Period(len(days), _now)
    # Nobody knows the truth about a purchase before it happened: older labels are of older days.
    with asked("labels"):
        known = cases.labels_known(period.before_starts_at, now=period.now)
    read = known[:MOST_LABELS]
    with asked("verdicts_of_labels"):
        verdicts = cases.verdicts_of({label.transaction_id for label in read}).values()
    current = _between(verdicts, period.starts_at, period.now)
    before = _between(verdicts, period.before_starts_at, period.before_ends_at)
    decided = decided_by_analysts(read)
    return Labelled(
        all=ByDay(outcomes(current, read), outcomes(before, read)),
        decided=ByDay(outcomes(current, decided), outcomes(before, decided)),
        rules=truths_by_rule(current, read),
        labels_known=len(known),
        labels_read=len(read),
    )


def _between(verdicts: Iterable[Verdict], first: datetime, end: datetime) -> list[Verdict]:
    first_ms, end_ms = int(first.timestamp() * 1_000), int(end.timestamp() * 1_000)
    return [one for one in verdicts if first_ms <= one.event_at_ms < end_ms]
