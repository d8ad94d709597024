"""Reasons that the customer may be given, and reviews that the customer asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from fraudwatch.application.console.access import Forbidden, Person, Right
from fraudwatch.application.console.customer_reasons import RIGHTS, reasons_for_customer
from fraudwatch.application.console.reviews import Review, ReviewRefused, ReviewResult
from fraudwatch.application.console.sla import REVIEW_TARGET_MS
from fraudwatch.application.ports import NotDelivered, StoreUnavailable
from fraudwatch.domain.messages.audit import LONGEST_REASON
from fraudwatch.domain.messages.verdict import Outcome, Verdict
from streamlit_app.case.parts import unavailable
from streamlit_app.console_services import ServiceSource
from streamlit_app.handling_view import due_words
from streamlit_app.metrics import timed_query
from streamlit_app.view_models import clock_time

RESULT_WORDS: Final = {
    ReviewResult.UPHELD: "Upheld: the decision was right",
    ReviewResult.REVERSED: "Reversed: the decision was wrong",
}
_PROBLEM: Final = "case_review_problem"


def reasons(verdict: Verdict) -> None:
    """Draw the sentences that an analyst may read out to a declined customer."""
    if verdict.outcome not in (Outcome.DECLINE, Outcome.CHALLENGE):
        return
    st.subheader("For the customer", anchor=False)
    st.caption("Read these out; the reasons above are not for customers.")
    for sentence in (*reasons_for_customer(verdict.reasons), RIGHTS):
        st.text(sentence)


def show(source: ServiceSource, person: Person, verdict: Verdict) -> None:
    """Draw the reviews of a purchase, and the forms that file or decide one."""
    reviews, name, now_ms = source.services().reviews, verdict.transaction_id, source.now_ms()
    try:
        with timed_query("reviews"):
            open_one = reviews.store.open_reviews().get(name)
            decided = reviews.store.decided_reviews(name)
    except StoreUnavailable:
        unavailable("The list of reviews")
        return
    if open_one is None and not decided and not person.may(Right.DECIDE):
        return
    st.subheader("Review by a person", anchor=False)
    if problem := st.session_state.pop(_PROBLEM, None):
        st.error(problem)
    for review in decided:
        _show_decided(review, now_ms)
    if open_one is not None:
        _show_open(open_one, now_ms)
    if not person.may(Right.DECIDE):
        return
    if open_one is None:
        _request_form(source, person, verdict)
    else:
        _decision_form(source, person, name)


def _show_open(review: Review, now_ms: int) -> None:
    due = due_words(review.requested_at_ms + REVIEW_TARGET_MS, now_ms)
    when = clock_time(review.requested_at_ms, now_ms)
    st.warning(f"The customer asks for a review, {due}. Filed {when} by {review.filed_by}.")
    st.text(f"“{review.request}”")


def _show_decided(review: Review, now_ms: int) -> None:
    result = RESULT_WORDS[review.result] if review.result else ""
    when = clock_time(review.decided_at_ms or review.requested_at_ms, now_ms)
    st.text(f"{result}, by {review.decided_by}, {when}: “{review.note}”")
    st.text(f"    The customer: “{review.request}”")


def _request_form(source: ServiceSource, person: Person, verdict: Verdict) -> None:
    with st.expander("The customer asks for a review"), st.form("review_request", border=False):
        request = st.text_area(
            "Request",
            max_chars=LONGEST_REASON,
            placeholder="The customer's view, in short. No names, no card numbers.",
            height=80,
            key=f"review_request_{verdict.transaction_id}",
        )
        is_sent = st.form_submit_button("Request review")
    if is_sent:
        _do(lambda: source.services().reviews.file(person, verdict, request))


def _decision_form(source: ServiceSource, person: Person, transaction_id: str) -> None:
    with st.form("review_decision", enter_to_submit=False):
        result = st.radio(
            "Result of the review",
            list(ReviewResult),
            format_func=RESULT_WORDS.__getitem__,
            index=None,
            key=f"review_result_{transaction_id}",
        )
        note = st.text_area(
            "Note of the review",
            max_chars=LONGEST_REASON,
            placeholder="Why? The customer may ask for it. No names, no card numbers.",
            height=80,
            key=f"review_note_{transaction_id}",
        )
        is_sent = st.form_submit_button("Save review")
    if is_sent and result is None:
        st.warning("Nothing was saved: choose a result first.")
    elif is_sent and result is not None:
        _do(lambda: source.services().reviews.decide(person, transaction_id, result, note))


def _do(action: Callable[[], object]) -> None:
    try:
        action()
    except (ReviewRefused, Forbidden) as error:
        st.session_state[_PROBLEM] = str(error)
    except NotDelivered:
        st.session_state[_PROBLEM] = (
            "Nothing was saved: the audit record could not be written, because Kafka did not "
            "acknowledge it. Save again; `./fraudwatch status` shows what is down."
        )
    except StoreUnavailable:
        st.session_state[_PROBLEM] = (
            "It may not be saved: the store (Cassandra) does not answer. Reload in a moment; "
            "`./fraudwatch status` shows what is down."
        )
    st.rerun()
