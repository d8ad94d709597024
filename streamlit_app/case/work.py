"""What an analyst does with a case: hold it, give it back, decide it, take the next."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import streamlit as st

from fraudwatch.application.access import Person, Right
from fraudwatch.application.next_case import Queue, WaitingCase
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.fields import columns_of
from fraudwatch.domain.label import Label, Truth
from streamlit_app.case import queries
from streamlit_app.desk import Source
from streamlit_app.metrics import asked

LONGEST_NOTE: Final = next(
    column.fact.max_length or 0 for column in columns_of(Label) if column.name == "note"
)
_SKIPPED, _SAVED = "case_skipped", "case_saved"
# A label needs a moment from its topic to the store; so many decisions fit into no moment.
_MOST_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a case."""

    login: str | None
    is_known: bool = True

    def is_other_than(self, person: Person) -> bool:
        """Whether somebody else works on it."""
        return self.login is not None and self.login != person.login


def holder_of(source: Source, person: Person, transaction_id: str) -> Holder:
    """Who has the case; one's own claim is renewed by looking at it."""
    try:
        claims = source.desk().claims
        login = claims.held().get(transaction_id)
        if login == person.login and person.may(Right.DECIDE):
            login = claims.claim(transaction_id, person.login)
    except StoreUnavailable:
        return Holder(None, is_known=False)
    return Holder(login)


def hold(source: Source, person: Person, transaction_id: str) -> str:
    """Claim the case; the login that has it now.

    Raises:
        Forbidden: the person's role does not decide.
        StoreUnavailable: nobody can tell who has it.
    """
    person.require(Right.DECIDE)
    return source.desk().claims.claim(transaction_id, person.login)


def give_back(source: Source, person: Person, transaction_id: str) -> None:
    """Release one's own claim; raises as :func:`hold` does."""
    person.require(Right.DECIDE)
    source.desk().claims.release(transaction_id, person.login)


def take_next(source: Source, person: Person, leaving: str | None) -> str | None:
    """Claim the next case; the one that is left is given back and comes again last.

    Raises:
        Forbidden: the person's role does not decide.
        StoreUnavailable: nobody can tell what waits.
    """
    desk = source.desk()
    queue = Queue(desk.alerts, desk.cases, desk.claims)
    lately, now = _decided_lately(), source.clock()
    skipped: set[str] = st.session_state.setdefault(_SKIPPED, set())
    left = set() if leaving is None else {leaving}
    found = queue.take_next(person, now=now, besides={*lately, *skipped, *left})
    if found is None and skipped - left:
        skipped.clear()
        found = queue.take_next(person, now=now, besides={*lately, *left})
    skipped |= left
    if leaving is not None and found is not None:
        desk.claims.release(leaving, person.login)
    return found


def waiting(source: Source, person: Person, limit: int) -> list[WaitingCase]:
    """List the open cases in the order in which :func:`take_next` claims them.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    desk, lately = source.desk(), _decided_lately()
    queue = Queue(desk.alerts, desk.cases, desk.claims)
    with asked("waiting"):
        cases = queue.waiting(person, now=source.clock(), limit=limit, besides=lately)
    skipped: set[str] = st.session_state.get(_SKIPPED, set())
    return sorted(cases, key=lambda case: case.alert.transaction_id in skipped)


def decide(source: Source, person: Person, transaction_id: str, said: tuple[Truth, str]) -> Label:
    """Save what was said (the truth and a note); raises as ``Decisions.decide`` does."""
    label = source.desk().decisions.decide(person, transaction_id, *said)
    _decided_lately().append(transaction_id)
    st.session_state[_SAVED] = (transaction_id, label.verdict)
    queries.forget()
    return label


def saved_just_now(transaction_id: str) -> Truth | None:
    """What this person said of the case last, in this session."""
    about, truth = st.session_state.get(_SAVED, (None, None))
    return truth if about == transaction_id else None


@st.cache_resource(show_spinner=False)
def _decided_lately() -> deque[str]:
    return deque(maxlen=_MOST_REMEMBERED)
