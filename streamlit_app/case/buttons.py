"""Buttons of a case: claim, release, next case."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.casework import CLAIM_SECONDS
from fraudwatch.application.ports import StoreUnavailable
from streamlit_app import navigation
from streamlit_app.case import work
from streamlit_app.case.work import CaseClaim
from streamlit_app.console_services import ServiceSource

_CLAIMS_UNAVAILABLE = (
    "Claims cannot be read now: the store (Cassandra) does not answer. Nothing was claimed. Run "
    "`./fraudwatch status` to see what is down, then try again."
)


def claim_or_next(
    source: ServiceSource, person: Person, transaction_id: str, claim: CaseClaim
) -> None:
    """Show who has claimed the case, and the buttons that apply."""
    _show_claim(person, claim)
    if not person.may(Right.DECIDE):
        return
    with st.container(horizontal=True):
        if claim.login == person.login:
            if st.button("Release"):
                _do(lambda: work.release(source, person, transaction_id))
        elif not claim.is_of_another(person) and st.button("Claim"):
            _do(lambda: work.claim(source, person, transaction_id))
        next_case(source, person, transaction_id)


def next_case(
    source: ServiceSource, person: Person, leaving: str | None, *, place: str = "top"
) -> None:
    """Draw the button that claims the next case, for roles that decide."""
    if not person.may(Right.DECIDE):
        return
    if not st.button("Next case", type="primary", key=f"case_next_{place}"):
        return
    try:
        found = work.claim_next(source, person, leaving)
    except StoreUnavailable:
        st.error(_CLAIMS_UNAVAILABLE)
        return
    if found is None:
        st.info(
            "No other open case is left to do: every alert is decided, snoozed, or with another "
            "person."
        )
        return
    navigation.open_case(found)
    st.rerun()


def _show_claim(person: Person, claim: CaseClaim) -> None:
    minutes = CLAIM_SECONDS // 60
    if not person.may(Right.DECIDE):
        st.info(f"Your role, {person.role}, may read cases but not decide them.")
    elif not claim.is_known:
        st.warning(_CLAIMS_UNAVAILABLE)
    elif claim.login == person.login:
        st.text(
            f"You have claimed this case. The claim ends {minutes} minutes after you last open it."
        )
    if claim.is_of_another(person):
        st.warning(
            f"{claim.login} has claimed this case. You can read it; you can decide it once it is "
            f"released, or {minutes} minutes after {claim.login} last opens it."
        )


def _do(action: Callable[[], object]) -> None:
    try:
        action()
    except StoreUnavailable:
        st.error(_CLAIMS_UNAVAILABLE)
    else:
        st.rerun()
