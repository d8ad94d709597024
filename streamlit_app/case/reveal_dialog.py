"""Reveal dialog of a case: ask for a reason, record it, show the personal fields once."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.casework import Erased, RevealRefused
from fraudwatch.application.console.reveal import reason_problems
from fraudwatch.domain.messages.audit import LONGEST_REASON, SHORTEST_REASON
from fraudwatch.domain.messages.fields import columns_of
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.messages.transaction import Transaction
from streamlit_app.console_services import ServiceSource
from streamlit_app.people import oversight

# Transaction whose dialog is open; the revealed fields are drawn and never stored.
_OPEN = "reveal_open"
_MEANINGS = {column.name: column.fact.meaning for column in columns_of(Purchase)}
_PLACES = {name: place for place, name in enumerate(_MEANINGS)}


def show_button(source: ServiceSource, person: Person, purchase: Transaction) -> None:
    """Draw the button, for roles that may reveal, and the dialog behind it."""
    if not person.may(Right.REVEAL):
        return
    if purchase.sealed is None:
        st.caption("This purchase has no personal data to reveal.")
        return
    name = purchase.transaction_id
    st.button(
        "Reveal personal data",
        key=f"reveal_{name}",
        icon=":material/visibility:",
        help="Shows who bought. This is recorded in the audit log.",
        on_click=_open,
        args=(name,),
    )
    if st.session_state.get(_OPEN, name) != name:
        _close()  # was open on another case
    if st.session_state.get(_OPEN) == name:
        # Opened from the session state, not from the click: it stays open when the page reruns.
        st.dialog("Reveal personal data", on_dismiss=_close)(_ask)(source, person, purchase)


def _open(name: str) -> None:
    st.session_state[_OPEN] = name


def _close() -> None:
    st.session_state.pop(_OPEN, None)


def _ask(source: ServiceSource, person: Person, purchase: Transaction) -> None:
    place = st.empty()
    with place.form("reveal", border=False):
        st.write(
            "Your name, the time, this purchase and your reason are recorded in the audit log "
            "before anything is shown. Leads and admins read it."
        )
        reason = st.text_area(
            "Reason",
            max_chars=LONGEST_REASON,
            placeholder="The customer calls about this purchase, ticket 4711",
            help=f"{SHORTEST_REASON} to {LONGEST_REASON} characters; no names, no card numbers",
        )
        is_sent = st.form_submit_button("Record and reveal", type="primary")
    if not is_sent:
        return
    if problems := reason_problems(reason):
        st.error(f"Nothing was shown: the reason {problems[0].reason}.")
        return
    personal = _reveal(source, person, purchase, reason)
    if personal is not None:
        place.empty()
        _draw(personal)


def _reveal(
    source: ServiceSource, person: Person, purchase: Transaction, reason: str
) -> Mapping[str, str] | None:
    try:
        return oversight.reveal(source, person, purchase, reason)
    except Erased:
        st.info(
            "This customer's data was erased: the key is deleted, and the sealed fields can no "
            "longer be opened. Your request is recorded in the audit log."
        )
    except RevealRefused as error:
        text = str(error)
        st.error(f"{text[:1].upper()}{text[1:]}.")
    return None


def _draw(personal: Mapping[str, str]) -> None:
    """Draw as plain text: a name from a shop must not be rendered as markup."""
    for name in sorted(personal, key=lambda one: _PLACES.get(one, len(_PLACES))):
        st.text(f"{_MEANINGS.get(name, name)}: {personal[name]}")
    st.caption(
        "Recorded in the audit log. Shown once: closing the window clears it, and revealing it "
        "again adds another record. Card numbers are always masked."
    )
