"""Audited access: reveal personal data, and read the audit log.

Both check the person's role here, whatever the calling page has shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.domain.messages.transaction import Transaction
from streamlit_app.console_services import ServiceSource
from streamlit_app.metrics import timed_query

MAX_RECORDS = 1_000
# Short, so that one's own record of a reveal is here after a moment.
FRESH_FOR = timedelta(seconds=2)


def reveal(
    source: ServiceSource, person: Person, purchase: Transaction, reason: str
) -> Mapping[str, str]:
    """Reveal the personal fields of one purchase; never cached, so each reveal is recorded.

    Raises:
        Forbidden: the person's role does not reveal.
        Erased: the customer's key was deleted.
        RevealRefused: ingest refused to reveal; its message says why.
    """
    person.require(Right.REVEAL)
    return source.services().revealer.reveal(purchase, person=person, reason=reason)


def audit_records(source: ServiceSource, person: Person, days: int) -> list[AuditRecord]:
    """Read the audit log of the last days, latest first, at most :data:`MAX_RECORDS`.

    Raises:
        Forbidden: the person's role does not read it.
        StoreUnavailable: the store does not answer; the next call queries again.
    """
    person.require(Right.AUDIT)
    return _audit_records(source, days)


@st.cache_data(ttl=FRESH_FOR, show_spinner=False)
def _audit_records(_source: ServiceSource, days: int) -> list[AuditRecord]:
    now = _source.clock()
    with timed_query("audited"):
        return _source.services().audit.audited(
            now - timedelta(days=days), now=now, limit=MAX_RECORDS
        )
