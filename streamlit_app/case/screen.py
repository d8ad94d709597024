"""One case: what was bought, why it was flagged, what is known around it, and the decision."""

from __future__ import annotations

import logging

import streamlit as st

from fraudwatch.application.access import Person, Right
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.transaction import Transaction
from fraudwatch.domain.verdict import Verdict
from streamlit_app import navigation
from streamlit_app.case import around, buttons, decision, parts, queries, queue, reveal_dialog, work
from streamlit_app.case.queries import CaseFile
from streamlit_app.case.view import head_line
from streamlit_app.case.work import Holder
from streamlit_app.desk import Source
from streamlit_app.people import login
from streamlit_app.view_models import OUTCOME_WORDS, amount_text

logger = logging.getLogger(__name__)


def show(source: Source) -> None:
    """Draw the case that the address names, or the queue."""
    person = login.require(Right.SEE)
    transaction_id = navigation.asked_for(navigation.TRANSACTION)
    if not transaction_id:
        queue.show(source, person)
        return
    try:
        case = queries.read(source, person, transaction_id)
    except StoreUnavailable as error:
        logger.warning("The store does not answer the case screen: %s", error)
        parts.away("This case")
        return
    if case is None:
        _no_verdict(source, person, transaction_id)
        return
    holder = work.holder_of(source, person, transaction_id)
    _head(source, person, case.verdict, holder)
    # Why, and the answer, side by side: most cases need nothing of what follows.
    why, answer = st.columns([5, 3], gap="large")
    with why:
        parts.reasons(case.verdict)
    with answer:
        decision.offer(source, person, transaction_id, holder)
        decision.known(case, source.now_ms())
    _body(source, person, case)


def _no_verdict(source: Source, person: Person, transaction_id: str) -> None:
    st.info(
        "No verdict is stored under this transaction: it may be on its way (look again in a few "
        "seconds), be older than what is kept, or the address is mistyped."
    )
    st.text(f"Asked for: {transaction_id}")
    with st.container(horizontal=True):
        st.button("Look again")
        buttons.next_case(source, person, transaction_id)


def _head(source: Source, person: Person, verdict: Verdict, holder: Holder) -> None:
    parts.risk_badge(verdict.risk)
    with st.container(horizontal=True):
        for name, value in (
            ("Amount", amount_text(verdict.amount_minor, verdict.currency)),
            ("Merchant", verdict.merchant_id),
            ("Outcome", OUTCOME_WORDS[verdict.outcome]),
            ("Score", f"{verdict.score:.2f}"),
        ):
            parts.figure(name, value)
    st.text(head_line(verdict, source.now_ms()))
    buttons.claim_or_next(source, person, verdict.transaction_id, holder)


def _body(source: Source, person: Person, case: CaseFile) -> None:
    parts.explanation(case.verdict)
    parts.purchase(case.purchase, source.now_ms())
    if isinstance(case.purchase, Transaction):
        reveal_dialog.offer(source, person, case.purchase)
    around.customer(case)
    around.shared(case, source.now_ms())
