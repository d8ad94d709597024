"""The queue of reviews that customers have asked for, the longest waiting first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pandas as pd
import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.reviews import Review, longest_waiting_first
from fraudwatch.application.console.sla import REVIEW_TARGET_MS
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.money import amount_text
from streamlit_app import alert_table
from streamlit_app.case.parts import unavailable
from streamlit_app.console_services import ServiceSource
from streamlit_app.handling_view import time_left
from streamlit_app.metrics import timed_query
from streamlit_app.risk_marks import risk_word
from streamlit_app.view_models import OUTCOME_WORDS, UNKNOWN, age_text

NAME: Final = "review_queue"
MAX_REVIEWS: Final = 50
_COLUMNS: Final = {
    "reason": st.column_config.TextColumn("The customer's view", width=460),
    "age": st.column_config.TextColumn("Age", width=68),
    "due": st.column_config.TextColumn("Due", width=104),
    "status": st.column_config.TextColumn("Outcome", width=112),
    "merchant": st.column_config.TextColumn("Merchant", width=140),
}


def show(source: ServiceSource, person: Person) -> None:
    """Draw the queue; a click opens the case, where the review is decided."""
    person.require(Right.SEE)
    services, now_ms = source.services(), source.now_ms()
    try:
        with timed_query("reviews"):
            reviews = longest_waiting_first(services.reviews.store.open_reviews().values())
            some = reviews[:MAX_REVIEWS]
            verdicts = services.cases.verdicts_of([one.transaction_id for one in some])
    except StoreUnavailable:
        unavailable("The queue of reviews")
        return
    if not reviews:
        st.text("No review is requested.")
        return
    st.text(
        f"{_counted(len(reviews))}, the longest waiting first. Click one to open its case and "
        "decide it."
    )
    rows = pd.DataFrame([_row(review, verdicts, now_ms) for review in some])
    alert_table.draw(NAME, rows, list(rows["transaction"]), _COLUMNS)


def show_count(source: ServiceSource, person: Person) -> None:
    """Say how many reviews are requested, if any: they have a target of their own."""
    person.require(Right.SEE)
    try:
        with timed_query("reviews"):
            reviews = source.services().reviews.store.open_reviews().values()
    except StoreUnavailable:
        return  # the list itself says so
    now_ms = source.now_ms()
    if reviews:
        overdue = sum(one.requested_at_ms + REVIEW_TARGET_MS <= now_ms for one in reviews)
        late = f", {overdue:,} overdue" if overdue else ""
        st.info(f"{_counted(len(reviews))}{late}: see “Review requested”.")


def _row(review: Review, verdicts: Mapping[str, Verdict], now_ms: int) -> dict[str, str]:
    verdict = verdicts.get(review.transaction_id)
    amount = amount_text(verdict.amount_minor, verdict.currency) if verdict else UNKNOWN
    return {
        "risk": risk_word(verdict.risk if verdict else None),
        "amount": amount,
        "reason": review.request,
        "age": age_text(now_ms - review.requested_at_ms),
        "due": time_left(review.requested_at_ms + REVIEW_TARGET_MS, now_ms),
        "status": OUTCOME_WORDS[verdict.outcome] if verdict else UNKNOWN,
        "merchant": verdict.merchant_id if verdict else UNKNOWN,
        "transaction": review.transaction_id,
    }


def _counted(count: int) -> str:
    return f"{count:,} {'review is' if count == 1 else 'reviews are'} requested"
