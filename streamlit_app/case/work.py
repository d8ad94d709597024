"""Actions on a case: claim, release, decide, claim the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.handling import UNSURE_SNOOZE_DAYS, HandlingRefused
from fraudwatch.application.console.next_case import MAX_OPEN, Queue, View, WaitingCase
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.messages.audit import LONGEST_REASON
from fraudwatch.domain.messages.fields import columns_of
from fraudwatch.domain.messages.label import Label, LabelValue
from fraudwatch.domain.time_units import DAY_MS
from streamlit_app.case import open_cases, queries
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
    services, queue = source.services(), _queue(source)
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


def waiting(source: ServiceSource, person: Person, view: View = View.TO_DO) -> list[WaitingCase]:
    """List open cases in the order in which :func:`claim_next` claims them.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    with timed_query("waiting"):
        cases = _queue(source).waiting(
            person, now=source.clock(), limit=MAX_OPEN, excluded=_decided_recently(), view=view
        )
    skipped: set[str] = st.session_state.get(_SKIPPED, set())
    return sorted(cases, key=lambda case: case.alert.transaction_id in skipped)


def decide(
    source: ServiceSource, person: Person, transaction_id: str, decision: tuple[LabelValue, str]
) -> Label:
    """Save a decision and its note as a label; raises as ``Decisions.decide`` does."""
    label = source.services().decisions.decide(person, transaction_id, *decision)
    st.session_state[_SAVED] = (transaction_id, label.verdict)
    queries.forget()
    if label.decides:
        finished(source, [transaction_id])
    else:
        _snooze_unsure(source, person, label)
    return label


def finished(source: ServiceSource, transaction_ids: Collection[str]) -> None:
    """Leave decided cases out of the queue at once, and delete their handling."""
    _decided_recently().extend(transaction_ids)
    handling = source.services().handling
    # Without an answer it is left: the handling of a decided case has no effect.
    with suppress(StoreUnavailable):
        known = handling.store.handlings()
        for name in set(transaction_ids) & set(known):
            handling.finish(name)


def _snooze_unsure(source: ServiceSource, person: Person, label: Label) -> None:
    """An unsure case stays open; it comes again a day later, not as the next case."""
    until_ms = label.known_at_ms + UNSURE_SNOOZE_DAYS * DAY_MS
    reason = f"Decided unsure. {label.note or ''}"[:LONGEST_REASON]
    with suppress(StoreUnavailable, HandlingRefused):
        source.services().handling.snooze(person, label.transaction_id, until_ms, reason)


def saved_just_now(transaction_id: str) -> LabelValue | None:
    """Return the decision on the case that this session saved last, if any."""
    about, truth = st.session_state.get(_SAVED, (None, None))
    return truth if about == transaction_id else None


def _queue(source: ServiceSource) -> Queue:
    services = source.services()
    return Queue(
        open_cases.reader(source), services.alerts, services.claims, services.handling.store
    )


@st.cache_resource(show_spinner=False)
def _decided_recently() -> deque[str]:
    return deque(maxlen=_MAX_REMEMBERED)
