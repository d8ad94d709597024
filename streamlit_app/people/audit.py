"""The audit log: who looked behind which token, who changed which account, when and why."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from fraudwatch.application.access import Person, Right
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.audit import AuditRecord, Deed
from streamlit_app.desk import Source
from streamlit_app.people import login, oversight
from streamlit_app.view_models import UNKNOWN, short_token

DEED_WORDS = {
    Deed.REVEALED: "Looked behind a token",
    Deed.ACCOUNT_MADE: "Made an account",
    Deed.ROLE_CHANGED: "Changed a role",
    Deed.PASSWORD_RESET: "Reset a password",
    Deed.ACCOUNT_CLOSED: "Closed an account",
    Deed.ACCOUNT_OPENED: "Opened an account again",
}
SPANS_DAYS = (1, 7, 30, 90, 400)
USUAL_SPAN_DAYS = 7
EVERYBODY = ""
_PERSON = "audit_person"
_COLUMNS = {
    "at": st.column_config.TextColumn("Time", width=150),
    "by": st.column_config.TextColumn("Who", width=110),
    "deed": st.column_config.TextColumn("Did what", width=160),
    "subject": st.column_config.TextColumn("To what", width=190, help="Transaction or account"),
    "customer": st.column_config.TextColumn("Customer", width=86, help="Token, shortened"),
    "reason": st.column_config.TextColumn("Why", width=480),
}

logger = logging.getLogger(__name__)


def show(source: Source) -> None:
    """The page; it does not refresh by itself, for nobody waits for what is on it."""
    person = login.require(Right.AUDIT)
    st.subheader("Audit log", anchor=False)
    st.caption(
        "What nobody may do unseen. A record is written before the deed and is never changed; it "
        "is here a second or two later and stays for 400 days."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        days = st.selectbox(
            "Days",
            SPANS_DAYS,
            index=SPANS_DAYS.index(USUAL_SPAN_DAYS),
            format_func=_span_words,
            width=180,
        )
        records = _look(source, person, days)
        who = st.selectbox(
            "Person",
            _people(records or ()),
            format_func=lambda name: name or "Everybody",
            key=_PERSON,
            width=220,
        )
        st.button("Look again")
    if records is not None:
        _list(records, who, days)


def _look(source: Source, person: Person, days: int) -> list[AuditRecord] | None:
    try:
        return oversight.audited(source, person, days)
    except StoreUnavailable as error:
        logger.warning("The store does not answer the console: %s", error)
        st.error(
            "The store (Cassandra) does not answer, so the log cannot be read now. No record is "
            "lost: they wait in Kafka. Run `./fraudwatch status` to see what is down, then look "
            "again."
        )
        return None


def _people(records: Iterable[AuditRecord]) -> list[str]:
    """Everybody, and whoever is in the list; the one who is chosen stays when the days change."""
    chosen = st.session_state.get(_PERSON, EVERYBODY)
    return [EVERYBODY, *sorted({record.by for record in records} | ({chosen} - {EVERYBODY}))]


def _list(records: Sequence[AuditRecord], who: str, days: int) -> None:
    wanted = [record for record in records if who in (EVERYBODY, record.by)]
    if len(records) >= oversight.MOST_RECORDS:
        st.warning(
            f"Only the latest {oversight.MOST_RECORDS:,} records are here. Choose fewer days."
        )
    if not wanted:
        st.info(
            f"{who or 'Nobody'} {'did nothing' if who else 'did anything'} that is written down "
            f"here in the {_span_words(days).lower()}."
        )
        return
    rows = pd.DataFrame([_row(record) for record in wanted])
    st.dataframe(rows, key="audit_records", hide_index=True, column_config=_COLUMNS)


def _row(record: AuditRecord) -> dict[str, str]:
    return {
        "at": datetime.fromtimestamp(record.at_ms // 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "by": record.by,
        "deed": DEED_WORDS[record.deed],
        "subject": record.transaction_id or record.account or UNKNOWN,
        "customer": short_token(record.customer_token) if record.customer_token else UNKNOWN,
        "reason": record.reason,
    }


def _span_words(days: int) -> str:
    return "Last 24 hours" if days == 1 else f"Last {days} days"
