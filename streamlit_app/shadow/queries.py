"""Queries of the shadow page, cached for all sessions; errors are not cached."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.shadow.comparing import ShadowProgress
from fraudwatch.application.shadow.summary import LabelledSides, count_labelled
from fraudwatch.domain.shadow import Comparison, ShadowExample
from streamlit_app.console_services import ServiceSource
from streamlit_app.metrics import timed_query

MAX_COMPARISONS: Final = 50
FRESH_FOR: Final = timedelta(seconds=5)
LABELS_FRESH_FOR: Final = timedelta(minutes=1)
# Each label costs a look-up of its verdict and one of the candidate's outcome.
MAX_LABELS: Final = 5_000


class Labelled(NamedTuple):
    """Both sides on labelled purchases, and how many labels were read of those known."""

    sides: LabelledSides
    labels_read: int
    labels_known: int


def comparisons(source: ServiceSource, person: Person) -> Sequence[Comparison]:
    """Read the newest comparisons, newest first.

    Raises:
        Forbidden: the person's role does not see them.
        StoreUnavailable: the store does not answer.
    """
    person.require(Right.COMPARE)
    return _comparisons(source)


def progress(source: ServiceSource, person: Person, comparison: Comparison) -> ShadowProgress:
    """Read the counts of a comparison; raises as :func:`comparisons`."""
    person.require(Right.COMPARE)
    return _progress(source, comparison)


def examples(
    source: ServiceSource, person: Person, comparison: Comparison
) -> Sequence[ShadowExample]:
    """Read the purchases whose outcome differs, newest first; raises as :func:`comparisons`."""
    person.require(Right.COMPARE)
    return _examples(source, comparison.comparison_id)


def labelled(source: ServiceSource, person: Person, comparison: Comparison) -> Labelled:
    """Compare both sides with the newest labels; raises as :func:`comparisons`."""
    person.require(Right.COMPARE)
    return _labelled(source, comparison)


@st.cache_data(ttl=FRESH_FOR, show_spinner=False)
def _comparisons(_source: ServiceSource) -> Sequence[Comparison]:
    with timed_query("shadow_comparisons"):
        return _source.services().shadow.comparisons(MAX_COMPARISONS)


@st.cache_data(ttl=FRESH_FOR, show_spinner=False)
def _progress(_source: ServiceSource, comparison: Comparison) -> ShadowProgress:
    with timed_query("shadow_counts"):
        return _source.services().shadow.progress(comparison)


@st.cache_data(ttl=FRESH_FOR, show_spinner=False)
def _examples(_source: ServiceSource, comparison_id: str) -> Sequence[ShadowExample]:
    with timed_query("shadow_examples"):
        return _source.services().shadow.examples(comparison_id)


@st.cache_data(ttl=LABELS_FRESH_FOR, show_spinner=False)
def _labelled(_source: ServiceSource, comparison: Comparison) -> Labelled:
    services = _source.services()
    # A purchase is older than its label, so labels of before are of no compared purchase.
    since = datetime.fromtimestamp(comparison.from_at_ms / 1000, UTC)
    with timed_query("shadow_labels"):
        known = services.cases.labels_known(since, now=_source.clock())
        read = known[:MAX_LABELS]
        verdicts = services.cases.verdicts_of({label.transaction_id for label in read})
        outcomes = services.shadow.outcomes(comparison.comparison_id, verdicts.keys())
        progress = services.shadow.progress(comparison)
    sides = count_labelled(progress, verdicts.values(), read, outcomes)
    return Labelled(sides, len(read), len(known))
