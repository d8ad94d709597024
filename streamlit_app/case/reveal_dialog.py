"""Looking behind a purchase's tokens, from its case: asks why, says so, shows the fields once."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from fraudwatch.application.access import Person, Right
from fraudwatch.application.casework import Erased, RevealRefused
from fraudwatch.application.reveal import reason_problems
from fraudwatch.domain.audit import LONGEST_REASON, SHORTEST_REASON
from fraudwatch.domain.fields import columns_of
from fraudwatch.domain.purchase import Purchase
from fraudwatch.domain.transaction import Transaction
from streamlit_app.desk import Source
from streamlit_app.people import oversight

# Which purchase's dialog is open; what it shows is drawn, and kept nowhere.
_OPEN = "reveal_open"
_MEANINGS = {column.name: column.fact.meaning for column in columns_of(Purchase)}
_PLACES = {name: place for place, name in enumerate(_MEANINGS)}


def offer(source: Source, person: Person, purchase: Transaction) -> None:
    """The button, for whoever may, and the dialog behind it."""
    if not person.may(Right.REVEAL):
        return
    if purchase.sealed is None:
        st.caption("Nothing personal came with this purchase, so there is nothing to look behind.")
        return
    name = purchase.transaction_id
    st.button(
        "Look behind the token",
        key=f"reveal_{name}",
        icon=":material/visibility:",
        help="Shows who bought. It is written to the audit log.",
        on_click=_open,
        args=(name,),
    )
    if st.session_state.get(_OPEN, name) != name:
        _close()  # it was open on another case
    if st.session_state.get(_OPEN) == name:
        # Opened from the state and not from the click: a page that is drawn anew keeps it open.
        st.dialog("Who is behind the token?", on_dismiss=_close)(_ask)(source, person, purchase)


def _open(name: str) -> None:
    st.session_state[_OPEN] = name


def _close() -> None:
    st.session_state.pop(_OPEN, None)


def _ask(source: Source, person: Person, purchase: Transaction) -> None:
    place = st.empty()
    with place.form("reveal", border=False):
        st.write(
            "That you look, when, behind which purchase and why is written to the audit log before "
            "anything is shown. Leads and admins read it."
        )
        reason = st.text_area(
            "Why do you have to know?",
            max_chars=LONGEST_REASON,
            placeholder="The customer calls about this purchase, ticket 4711",
            help=f"{SHORTEST_REASON} to {LONGEST_REASON} characters; no names, no card numbers",
        )
        is_sent = st.form_submit_button("Write it down and look", type="primary")
    if not is_sent:
        return
    if broken := reason_problems(reason):
        st.error(f"Nothing was shown: the reason {broken[0].reason}.")
        return
    personal = _look(source, person, purchase, reason)
    if personal is not None:
        place.empty()
        _draw(personal)


def _look(
    source: Source, person: Person, purchase: Transaction, reason: str
) -> Mapping[str, str] | None:
    try:
        return oversight.look_behind(source, person, purchase, reason)
    except Erased:
        st.info(
            "This customer was forgotten: their key is gone, and what was sealed for them can "
            "never be opened again. That you asked is written down."
        )
    except RevealRefused as error:
        said = str(error)
        st.error(f"{said[:1].upper()}{said[1:]}.")
    return None


def _draw(personal: Mapping[str, str]) -> None:
    """As plain text: what a shop sends as a name must not be read as a page's markup."""
    for name in sorted(personal, key=lambda one: _PLACES.get(one, len(_PLACES))):
        st.text(f"{_MEANINGS.get(name, name)}: {personal[name]}")
    st.caption(
        "Written to the audit log. This is shown once: it is gone when you close the window, and "
        "looking again is another record. A card's number is never shown whole."
    )
