"""Actions on a case: claim, release, decide, claim the next."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.next_case import Queue, WaitingCase
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.messages.fields import columns_of
from fraudwatch.domain.messages.label import Label, LabelValue
from streamlit_app.case import queries
from streamlit_app.console_services import ServiceSource
from streamlit_app.metrics import timed_query

LONGEST_NOTE: Final = next(
    column.fact.max_length or 0 for column in columns_of(Label) if column.name == "note"
)
_SKIPPED, _SAVED = "case_skipped", "case_saved"
# Labels reach the store with a delay; far fewer decisions fall within it.
_MAX_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class CaseClaim:
    """Claim on a case; ``is_known`` is False if claims cannot be read."""

    login: str | None
    is_known: bool = True

    def is_of_another(self, person: Person) -> bool:
        """Whether another person has the claim."""
        return self.login is not None and self.login != person.login


def claim_of(source: ServiceSource, person: Person, transaction_id: str) -> CaseClaim:
    """Read the claim on a case; one's own is renewed by opening the case."""
    try:
        claims = source.services().claims
        login = claims.active_claims().get(transaction_id)
        if login == person.login and person.may(Right.DECIDE):
            login = claims.claim(transaction_id, person.login)
    except StoreUnavailable:
        return CaseClaim(None, is_known=False)
    return CaseClaim(login)


def claim(source: ServiceSource, person: Person, transaction_id: str) -> str:
    """Claim the case, and return the login that has it now.

    Raises:
        Forbidden: the person's role does not decide.
        StoreUnavailable: claims cannot be read.
    """
    person.require(Right.DECIDE)
    return source.services().claims.claim(transaction_id, person.login)


def release(source: ServiceSource, person: Person, transaction_id: str) -> None:
    """Release one's own claim; raises as :func:`claim` does."""
    person.require(Right.DECIDE)
    source.services().claims.release(transaction_id, person.login)


def claim_next(source: ServiceSource, person: Person, leaving: str | None) -> str | None:
    """Claim the next case; the one that is left is released and queued last.

    Raises:
        Forbidden: the person's role does not decide.
        StoreUnavailable: the queue cannot be read.
    """
    services = source.services()
    queue = Queue(services.alerts, services.cases, services.claims)
    recently, now = _decided_recently(), source.clock()
    skipped: set[str] = st.session_state.setdefault(_SKIPPED, set())
    left = set() if leaving is None else {leaving}
    found = queue.claim_next(person, now=now, excluded={*recently, *skipped, *left})
    if found is None and skipped - left:
        skipped.clear()
        found = queue.claim_next(person, now=now, excluded={*recently, *left})
    skipped |= left
    if leaving is not None and found is not None:
        services.claims.release(leaving, person.login)
    return found


def waiting(source: ServiceSource, person: Person, limit: int) -> list[WaitingCase]:
    """List the open cases in the order in which :func:`claim_next` claims them.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    services, recently = source.services(), _decided_recently()
    queue = Queue(services.alerts, services.cases, services.claims)
    with timed_query("waiting"):
        cases = queue.waiting(person, now=source.clock(), limit=limit, excluded=recently)
    skipped: set[str] = st.session_state.get(_SKIPPED, set())
    return sorted(cases, key=lambda case: case.alert.transaction_id in skipped)


def decide(
    source: ServiceSource, person: Person, transaction_id: str, decision: tuple[LabelValue, str]
) -> Label:
    """Save a decision and its note as a label; raises as ``Decisions.decide`` does."""
    label = source.services().decisions.decide(person, transaction_id, *decision)
    _decided_recently().append(transaction_id)
    st.session_state[_SAVED] = (transaction_id, label.verdict)
    queries.forget()
    return label


def saved_just_now(transaction_id: str) -> LabelValue | None:
    """Return the decision on the case that this session saved last, if any."""
    about, truth = st.session_state.get(_SAVED, (None, None))
    return truth if about == transaction_id else None


@st.cache_resource(show_spinner=False)
def _decided_recently() -> deque[str]:
    return deque(maxlen=_MAX_REMEMBERED)
