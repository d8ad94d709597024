"""Case page: purchase, reasons, related purchases, labels and the decision."""

from __future__ import annotations

import logging

import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.money import amount_text
from streamlit_app import navigation
from streamlit_app.case import (
    buttons,
    decision,
    group_panel,
    handling_panel,
    parts,
    queries,
    queue,
    related,
    reveal_dialog,
    review_panel,
    view,
    work,
)
from streamlit_app.case.queries import CaseFile
from streamlit_app.case.work import CaseClaim
from streamlit_app.console_services import ServiceSource
from streamlit_app.people import access, login
from streamlit_app.view_models import OUTCOME_WORDS

logger = logging.getLogger(__name__)


def show(source: ServiceSource) -> None:
    """Draw the case that the address names, or the queue."""
    person = login.require(Right.SEE)
    transaction_id = navigation.query_parameter(navigation.TRANSACTION)
    if not transaction_id:
        queue.show(source, person)
        return
    try:
        case = queries.read(source, person, transaction_id)
    except StoreUnavailable as error:
        logger.warning("The store does not answer the case page: %s", error)
        parts.unavailable("This case")
        return
    if case is None:
        _no_verdict(source, person, transaction_id)
        return
    access.record_view(person, case.verdict)
    claim = work.claim_of(source, person, transaction_id)
    _head(source, person, case, claim)
    handling_panel.show(source, person, case)
    # Reasons and decision side by side: most cases need nothing more.
    why, answer = st.columns([5, 3], gap="large")
    with why:
        parts.reasons(case.verdict)
        review_panel.reasons(case.verdict)
    with answer:
        decision.show_form(source, person, transaction_id, claim)
        decision.show_labels(case, source.now_ms())
        review_panel.show(source, person, case.verdict)
    group_panel.show(source, person, case)
    _body(source, person, case)


def _no_verdict(source: ServiceSource, person: Person, transaction_id: str) -> None:
    st.info(
        "No verdict is stored for this transaction: it may not have arrived yet (reload in a few "
        "seconds), its retention may have ended, or the address may be mistyped."
    )
    st.text(f"Transaction: {transaction_id}")
    with st.container(horizontal=True):
        st.button("Reload")
        buttons.next_case(source, person, transaction_id)


def _head(source: ServiceSource, person: Person, case: CaseFile, claim: CaseClaim) -> None:
    verdict = case.verdict
    parts.badges(verdict)
    with st.container(horizontal=True):
        for name, value in (
            ("Amount", amount_text(verdict.amount_minor, verdict.currency)),
            ("Merchant", verdict.merchant_id),
            ("Outcome", OUTCOME_WORDS[verdict.outcome]),
            ("Score", view.score_text(verdict)),
        ):
            parts.figure(name, value)
    st.text(view.head_line(verdict, source.now_ms()))
    parts.refunds(verdict, case.refunds)
    buttons.claim_or_next(source, person, verdict.transaction_id, claim)


def _body(source: ServiceSource, person: Person, case: CaseFile) -> None:
    parts.explanation(case.verdict)
    parts.purchase(case.purchase, source.now_ms())
    if isinstance(case.purchase, Transaction):
        reveal_dialog.show_button(source, person, case.purchase)
    related.customer(case)
    related.shared(case, source.now_ms())
