"""Shadow page: a candidate policy or model beside the live one, without any effect on it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.application.shadow.summary import ShadowSummary, summarise
from fraudwatch.domain.shadow import Comparison
from streamlit_app import alert_table, navigation
from streamlit_app.console_services import ServiceSource
from streamlit_app.people import login
from streamlit_app.shadow import queries as shadow_queries
from streamlit_app.shadow import rows

MAX_EXAMPLES: Final = 200
_NAME: Final = "shadow"
_COLUMNS: Final = {
    "at": st.column_config.TextColumn("Purchase", width=120),
    "risk": st.column_config.TextColumn("Candidate's level", width=130),
    "live": st.column_config.TextColumn("Live", width=120, help="Outcome and score"),
    "candidate": st.column_config.TextColumn("Candidate", width=120, help="Outcome and score"),
    "live_reasons": st.column_config.TextColumn("Live reasons", width=220),
    "candidate_reasons": st.column_config.TextColumn("Candidate's reasons", width=220),
}
_HINT: Final = "Run `./fraudwatch status` to see what is down, then press R to reload."
_EMPTY: Final = (
    "Nothing was compared yet. `./fraudwatch shadow start --policy FILE` compares another policy, "
    "`--model VERSION` another model; neither has any effect on purchases."
)

logger = logging.getLogger(__name__)


def show(source: ServiceSource) -> None:
    """Draw the page."""
    person = login.require(Right.COMPARE)
    if (case := alert_table.clicked_case(_NAME)) is not None:
        navigation.open_case(case)
    try:
        found = shadow_queries.comparisons(source, person)
        if not found:
            st.info(_EMPTY)
            return
        comparison = _chosen(found, source.now_ms())
        progress = shadow_queries.progress(source, person, comparison)
        summary = summarise(progress)
        st.caption(rows.caption_of(comparison, summary, source.now_ms()))
        _numbers(summary)
        _labels(source, person, comparison)
        _examples(source, person, comparison)
    except StoreUnavailable as error:
        logger.warning("The store does not answer the comparison: %s", error)
        st.error(f"The comparison is incomplete: the store (Cassandra) does not answer. {_HINT}")


def _chosen(found: Sequence[Comparison], now_ms: int) -> Comparison:
    """Choose a comparison; the newest one at first."""
    return st.selectbox(
        "Candidate", found, format_func=lambda one: rows.title_of(one, now_ms), index=0
    )


def _numbers(summary: ShadowSummary) -> None:
    top = st.container(horizontal=True)
    top.metric("Purchases compared", f"{summary.compared.purchases:,}", border=True)
    top.metric("Other outcome", f"{summary.different.purchases:,}", border=True)
    top.metric("Share with another outcome", rows.percent(summary.different_ratio), border=True)
    top.metric("Their amount, EUR", rows.euros(summary.different.amount_eur_cents), border=True)
    if sentence := rows.not_compared_sentence(summary.not_compared):
        st.warning(sentence)
    if not summary.compared.purchases:
        st.info(
            "No purchase is compared yet. It begins with the next verdicts; `./fraudwatch status` "
            "shows whether detector and shadow run."
        )
        return
    left, right = st.columns(2)
    with left:
        st.subheader("Both sides", anchor=False)
        st.dataframe(rows.side_rows(summary), hide_index=True)
        st.subheader("Outcomes", anchor=False)
        st.dataframe(rows.outcome_rows(summary), hide_index=True)
        st.caption("Rows: live outcome. Columns: the candidate's. Purchases.")
    with right:
        st.subheader("Alerts a day", anchor=False)
        st.dataframe(rows.day_rows(summary), hide_index=True)
        st.subheader("Reasons that differ", anchor=False)
        if summary.reasons:
            st.dataframe(rows.reason_rows(summary), hide_index=True)
            st.caption("Of purchases with another outcome: reasons that one side alone gives.")
        else:
            st.caption("No reason differs.")


def _labels(source: ServiceSource, person: Person, comparison: Comparison) -> None:
    st.subheader("Against labels", anchor=False)
    found = shadow_queries.labelled(source, person, comparison)
    if not rows.labelled_purchases(found.sides):
        st.caption("No labels yet on compared purchases; fraud is often reported weeks later.")
        return
    st.dataframe(rows.label_rows(found.sides), hide_index=True)
    note = "Compared purchases that have a label; both sides are measured on the same ones."
    if found.labels_read < found.labels_known:
        note += f" Only the newest {found.labels_read:,} of {found.labels_known:,} labels are read."
    st.caption(note)


def _examples(source: ServiceSource, person: Person, comparison: Comparison) -> None:
    st.subheader("Purchases with another outcome", anchor=False)
    found = shadow_queries.examples(source, person, comparison)[:MAX_EXAMPLES]
    if not found:
        st.caption("None so far.")
        return
    alert_table.draw(
        _NAME,
        rows.example_rows(found, source.now_ms()),
        [one.transaction_id for one in found],
        _COLUMNS,
    )
    st.caption(
        f"The newest of each pair of outcomes, at most {MAX_EXAMPLES}. A click opens the case."
    )
