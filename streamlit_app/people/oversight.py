"""What may not be done unseen: looking behind a token, and reading who did.

Both ask the person's role here, whatever the page that calls them has shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import streamlit as st

from fraudwatch.application.access import Person, Right
from fraudwatch.domain.audit import AuditRecord
from fraudwatch.domain.transaction import Transaction
from streamlit_app.desk import Source
from streamlit_app.metrics import asked

MOST_RECORDS = 1_000
# Whoever looks behind a token and then here finds their own record after a moment.
FRESH_FOR = timedelta(seconds=2)


def look_behind(
    source: Source, person: Person, purchase: Transaction, reason: str
) -> Mapping[str, str]:
    """The personal fields of one purchase; never kept, so each look is a record of its own.

    Raises:
        Forbidden: the person's role does not reveal.
        Erased: the customer was forgotten.
        RevealRefused: the edge shows nothing; says why.
    """
    person.require(Right.REVEAL)
    return source.desk().revealer.reveal(purchase, person=person, reason=reason)


def audited(source: Source, person: Person, days: int) -> list[AuditRecord]:
    """The audit log of the last days, latest first, at most :data:`MOST_RECORDS`.

    Raises:
        Forbidden: the person's role does not read it.
        StoreUnavailable: the store does not answer; the next call asks again.
    """
    person.require(Right.AUDIT)
    return _audited(source, days)


@st.cache_data(ttl=FRESH_FOR, show_spinner=False)
def _audited(_source: Source, days: int) -> list[AuditRecord]:
    now = _source.clock()
    with asked("audited"):
        return _source.desk().audit.audited(now - timedelta(days=days), now=now, limit=MOST_RECORDS)
