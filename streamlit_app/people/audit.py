"""Audit page: who revealed, viewed, changed or assigned something, when and why."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.messages.audit import AuditAction, AuditRecord
from streamlit_app.console_services import ServiceSource
from streamlit_app.people import login, oversight
from streamlit_app.view_models import UNKNOWN, short_token

ACTION_WORDS = {
    AuditAction.REVEALED: "Revealed personal data",
    AuditAction.NOTIFIED: "Notified a customer",
    AuditAction.ACCOUNT_MADE: "Created an account",
    AuditAction.ROLE_CHANGED: "Changed a role",
    AuditAction.PASSWORD_RESET: "Reset a password",
    AuditAction.ACCOUNT_CLOSED: "Closed an account",
    AuditAction.ACCOUNT_OPENED: "Reopened an account",
    AuditAction.KEY_MADE: "Made an API key",
    AuditAction.KEY_REVOKED: "Revoked an API key",
    AuditAction.WEBHOOK_ADDED: "Added a webhook",
    AuditAction.WEBHOOK_REMOVED: "Removed a webhook",
    AuditAction.WEBHOOK_SECRET_ROTATED: "Rotated a webhook's secret",
    AuditAction.WEBHOOK_REPLAYED: "Replayed events to a webhook",
    AuditAction.LOGGED_IN: "Logged in",
    AuditAction.LOGIN_REFUSED: "Login refused",
    AuditAction.CASE_VIEWED: "Viewed a case",
    AuditAction.EXPORTED: "Downloaded a list",
    AuditAction.CASE_ASSIGNED: "Assigned a case",
    AuditAction.CASES_DECIDED: "Decided several cases",
    AuditAction.REVIEW_REQUESTED: "Filed a customer's request for review",
    AuditAction.REVIEW_DECIDED: "Decided a review",
    AuditAction.POLICY_PROPOSED: "Proposed a policy",
    AuditAction.POLICY_REJECTED: "Rejected a policy",
    AuditAction.POLICY_PROMOTED: "Promoted a policy",
    AuditAction.POLICY_ROLLED_BACK: "Rolled back the policy",
    AuditAction.POLICY_CHANGED_ALONE: "Changed the policy alone",
    AuditAction.SHADOW_STARTED: "Started a comparison",
    AuditAction.SHADOW_STOPPED: "Stopped a comparison",
    AuditAction.MODEL_APPROVED: "Approved a model",
    AuditAction.MODEL_ROLLED_BACK: "Rolled back the model",
    AuditAction.CANARY_STARTED: "Started a canary",
    AuditAction.CANARY_ENDED: "Ended a canary",
    AuditAction.CANARY_ROLLED_BACK: "Rolled back a canary",
}
SPANS_DAYS = (1, 7, 30, 90, 400)
DEFAULT_SPAN_DAYS = 7
EVERYONE = ""
_PERSON = "audit_person"
_COLUMNS = {
    "at": st.column_config.TextColumn("Time", width=150),
    "by": st.column_config.TextColumn("Who", width=110),
    "action": st.column_config.TextColumn("Action", width=160),
    "subject": st.column_config.TextColumn(
        "Subject", width=190, help="Transaction, account, API key, policy or model version"
    ),
    "customer": st.column_config.TextColumn("Customer", width=86, help="Token, shortened"),
    "reason": st.column_config.TextColumn("Reason", width=480),
}

logger = logging.getLogger(__name__)


def show(source: ServiceSource) -> None:
    """Draw the page; it does not refresh by itself."""
    person = login.require(Right.AUDIT)
    st.subheader("Audit log", anchor=False)
    st.caption(
        "Reveals, logins, views of cases, downloads, assignments, group decisions, reviews, and "
        "changes of accounts, API keys, the policy and models. Each is recorded before it is done "
        "and is never changed; a record is here after a few seconds and stays for 400 days."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        days = st.selectbox(
            "Days",
            SPANS_DAYS,
            index=SPANS_DAYS.index(DEFAULT_SPAN_DAYS),
            format_func=_span_words,
            width=180,
        )
        records = _read(source, person, days)
        who = st.selectbox(
            "Person",
            _people(records or ()),
            format_func=lambda name: name or "Everyone",
            key=_PERSON,
            width=220,
        )
        st.button("Reload")
    if records is not None:
        _list(records, who, days)


def _read(source: ServiceSource, person: Person, days: int) -> list[AuditRecord] | None:
    try:
        return oversight.audit_records(source, person, days)
    except StoreUnavailable as error:
        logger.warning("The store does not answer the audit page: %s", error)
        st.error(
            "The audit log cannot be read now: the store (Cassandra) does not answer. No record is "
            "lost: Kafka keeps them. Run `./fraudwatch status` to see what is down, then reload."
        )
        return None


def _people(records: Iterable[AuditRecord]) -> list[str]:
    """List the people in the records; the chosen one stays when the days change."""
    chosen = st.session_state.get(_PERSON, EVERYONE)
    return [EVERYONE, *sorted({record.by for record in records} | ({chosen} - {EVERYONE}))]


def _list(records: Sequence[AuditRecord], who: str, days: int) -> None:
    wanted = [record for record in records if who in (EVERYONE, record.by)]
    if len(records) >= oversight.MAX_RECORDS:
        st.warning(
            f"Only the latest {oversight.MAX_RECORDS:,} records are shown. Choose fewer days."
        )
    if not wanted:
        st.info(f"No records{f' of {who}' if who else ''} in the {_span_words(days).lower()}.")
        return
    rows = pd.DataFrame([_row(record) for record in wanted])
    st.dataframe(rows, key="audit_records", hide_index=True, column_config=_COLUMNS)


def _row(record: AuditRecord) -> dict[str, str]:
    return {
        "at": datetime.fromtimestamp(record.at_ms // 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "by": record.by,
        "action": ACTION_WORDS[record.deed],
        "subject": record.transaction_id or record.account or record.subject or UNKNOWN,
        "customer": short_token(record.customer_token) if record.customer_token else UNKNOWN,
        "reason": record.reason,
    }


def _span_words(days: int) -> str:
    return "Last 24 hours" if days == 1 else f"Last {days} days"
