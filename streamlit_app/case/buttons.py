"""The buttons of a case: claim it, give it back, take the next."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from fraudwatch.application.access import Person, Right
from fraudwatch.application.casework import CLAIM_SECONDS
from fraudwatch.application.ports import StoreUnavailable
from streamlit_app import navigation
from streamlit_app.case import work
from streamlit_app.case.work import Holder
from streamlit_app.desk import Source

_UNKNOWN_HOLDER = (
    "Who works on which case cannot be told now: the store (Cassandra) does not answer. Nothing "
    "was claimed; run `./fraudwatch status`, then try again."
)


def claim_or_next(source: Source, person: Person, transaction_id: str, holder: Holder) -> None:
    """Who has the case, and what may be done about that."""
    _tell_holder(person, holder)
    if not person.may(Right.DECIDE):
        return
    with st.container(horizontal=True):
        if holder.login == person.login:
            if st.button("Release"):
                _do(lambda: work.give_back(source, person, transaction_id))
        elif not holder.is_other_than(person) and st.button("Claim"):
            _do(lambda: work.hold(source, person, transaction_id))
        next_case(source, person, transaction_id)


def next_case(source: Source, person: Person, leaving: str | None, *, place: str = "top") -> None:
    """The button to the next case, for whoever decides."""
    if not person.may(Right.DECIDE):
        return
    if not st.button("Next case", type="primary", key=f"case_next_{place}"):
        return
    try:
        found = work.take_next(source, person, leaving)
    except StoreUnavailable:
        st.error(_UNKNOWN_HOLDER)
        return
    if found is None:
        st.info("Nothing else waits: every alert of the last 24 hours is decided or held.")
        return
    navigation.open_case(found)
    st.rerun()


def _tell_holder(person: Person, holder: Holder) -> None:
    minutes = CLAIM_SECONDS // 60
    if not person.may(Right.DECIDE):
        st.info(f"Your role, {person.role}, reads cases and does not decide them.")
    elif not holder.is_known:
        st.warning(_UNKNOWN_HOLDER)
    elif holder.login == person.login:
        st.text(f"You have this case, for {minutes} minutes from each look at it.")
    if holder.is_other_than(person):
        st.warning(
            f"{holder.login} works on this case. Read it, but deciding is off until it is "
            f"released, or {minutes} minutes after {holder.login} last looked at it."
        )


def _do(deed: Callable[[], object]) -> None:
    try:
        deed()
    except StoreUnavailable:
        st.error(_UNKNOWN_HOLDER)
    else:
        st.rerun()
