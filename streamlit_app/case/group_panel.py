"""Open alerts that have something in common with the case, and one decision on all of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import pandas as pd
import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.alerts import Alert, alert_of
from fraudwatch.application.console.casework import Shared
from fraudwatch.application.console.group_decision import (
    MAX_GROUP,
    GroupBy,
    GroupDecision,
    groups_of,
)
from fraudwatch.application.console.next_case import MAX_OPEN
from fraudwatch.application.ports import NotDelivered, StoreUnavailable
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.label import LabelValue
from fraudwatch.domain.money import amount_text
from streamlit_app.case import open_cases, queries, work
from streamlit_app.case.parts import unavailable
from streamlit_app.case.queries import MAX_SHARED, CaseFile, purchases_sharing
from streamlit_app.console_services import ServiceSource
from streamlit_app.view_models import (
    LABEL_WORDS,
    RISK_WORDS,
    clock_time,
    short_token,
    strongest_reason,
)

# Of a token with more purchases only these are compared with the open alerts.
MAX_LINKED: Final = 300
_GROUP_WORDS: Final = {
    GroupBy.CAMPAIGN: "All of these",
    GroupBy.CUSTOMER: "This customer",
    GroupBy.CARD: "This card",
    GroupBy.DEVICE: "This device",
    GroupBy.IP_NETWORK: "This IP network",
}
_TABLE_HEIGHT_PX: Final = 260
_SAVED, _BEGUN, _SENT = "case_group_saved", "case_group_begun", "case_group_sent"


def show(source: ServiceSource, person: Person, case: CaseFile) -> None:
    """Draw the groups of an open case, the preview of one, and its decision."""
    if saved := st.session_state.pop(_SAVED, None):
        _show_result(*saved)
    if sent := st.session_state.pop(_SENT, None):
        _save(source, person, *sent)
    if not case.is_open:
        return
    subject = alert_of(case.verdict)
    try:
        alerts = open_cases.reader(source).open_alerts(MAX_OPEN)
        groups = groups_of(subject, alerts, _linked(source, case))
    except StoreUnavailable:
        unavailable("The list of open alerts with the same customer, card, device or network")
        return
    if not groups:
        return
    st.subheader("Open alerts with something in common", anchor=False)
    options = [by for by in _GROUP_WORDS if by in groups]
    chosen = st.segmented_control(
        "Group",
        options,
        format_func=lambda by: f"{_GROUP_WORDS[by]} ({len(groups[by]) + 1:,})",
        default=options[0],
        key=f"case_group_{subject.transaction_id}",
        label_visibility="collapsed",
    )
    if chosen is None:
        return
    members = [subject, *groups[chosen]]
    _preview(members[:MAX_GROUP], source.now_ms())
    if person.may(Right.DECIDE):
        _form(members)


def _linked(source: ServiceSource, case: CaseFile) -> Mapping[Shared, Collection[str]]:
    """Return the transactions with the case's card, device and network."""
    linked: dict[Shared, Collection[str]] = {}
    for what, found in case.shared.items():
        if isinstance(found, StoreUnavailable):
            continue  # its own part of the page says so
        purchases = found
        if len(found) >= MAX_SHARED:
            token = getattr(found[0], what)
            purchases = purchases_sharing(
                source.services().cases,
                case.verdict,
                (what, token),
                now=source.clock(),
                limit=MAX_LINKED,
            )
        linked[what] = [one.transaction_id for one in purchases]
    return linked


def _preview(members: Sequence[Alert], now_ms: int) -> None:
    rows = [
        {
            "Risk": RISK_WORDS[one.risk],
            "Amount": amount_text(one.amount_minor, one.currency),
            "Time": clock_time(one.event_at_ms, now_ms),
            "Merchant": one.merchant_id,
            "Customer": short_token(one.customer_token),
            "Why": strongest_reason(one.reasons),
            "Transaction": one.transaction_id,
        }
        for one in members
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height="content" if len(rows) < 6 else _TABLE_HEIGHT_PX,  # noqa: PLR2004  fits below that
        key="case_group_preview",
    )


def _form(members: Sequence[Alert]) -> None:
    if len(members) > MAX_GROUP:
        st.info(f"Only the first {MAX_GROUP} are shown and decided; decide the rest afterwards.")
    names = [one.transaction_id for one in members[:MAX_GROUP]]
    truth_key, note_key = f"case_group_truth_{names[0]}", f"case_group_note_{names[0]}"
    with st.form("group_decision", enter_to_submit=False):
        st.radio(
            "What were these purchases?",
            [LabelValue.FRAUD, LabelValue.GENUINE],
            format_func=LABEL_WORDS.__getitem__,
            index=None,
            horizontal=True,
            key=truth_key,
        )
        st.text_input(
            "Note for all of them",
            placeholder="Why are they one case? No names, no card numbers.",
            max_chars=work.LONGEST_NOTE,
            key=note_key,
        )
        # The names are those of this preview: a group grows while an attack goes on, and the
        # next draw may have more of them, under a button with another number.
        st.form_submit_button(
            f"Decide all {len(names):,} cases",
            on_click=_send,
            args=(names, truth_key, note_key),
        )


def _send(names: Sequence[str], truth_key: str, note_key: str) -> None:
    st.session_state[_SENT] = (
        names,
        (st.session_state[truth_key], st.session_state[note_key]),
    )


def _save(
    source: ServiceSource,
    person: Person,
    names: Sequence[str],
    decision: tuple[LabelValue | None, str],
) -> None:
    truth, note = decision
    if truth is None:
        st.warning("Nothing was saved: choose fraud or genuine first.")
        return
    # A repeat after a failure sends the same labels, so nothing is decided twice.
    begun: dict[tuple[str, ...], int] = st.session_state.setdefault(_BEGUN, {})
    at_ms = begun.setdefault((truth, note, names[0]), source.now_ms())
    decisions = source.services().group_decisions
    try:
        result = decisions.decide(person, names, (truth, note), at_ms=at_ms)
    except Refused as error:
        st.error(f"Nothing was saved: {error.reason}. Change it, then save again.")
    except NotDelivered:
        st.error(
            "Nothing was saved: the audit record could not be written, because Kafka did not "
            "acknowledge it. Save again; `./fraudwatch status` shows what is down."
        )
    except StoreUnavailable:
        st.error(
            "Nothing was saved: the store (Cassandra) does not answer, so the claims cannot be "
            "checked. Save again in a moment; `./fraudwatch status` shows what is down."
        )
    else:
        if not result.failed:
            begun.pop((truth, note, names[0]))
        work.finished(source, result.decided)
        queries.forget()
        st.session_state[_SAVED] = (result, truth)
        st.rerun()


def _show_result(result: GroupDecision, truth: LabelValue) -> None:
    if result.decided:
        st.success(f"Saved: {truth}, {len(result.decided):,} cases, by you.")
    if result.failed:
        named = "\n".join(f"- {name}: {why}" for name, why in result.failed.items())
        st.warning(
            f"{len(result.failed):,} cases are not decided; decide them again, or one by one:\n"
            f"{named}"
        )
