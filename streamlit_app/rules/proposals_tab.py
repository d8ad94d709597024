"""Proposals that wait for a second person: promote, reject, withdraw."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from fraudwatch.adapters.artefacts.policy_file import difference
from fraudwatch.application.policy.versions import Draft
from fraudwatch.domain.messages.audit import LONGEST_REASON
from streamlit_app.rules import backtest_panel
from streamlit_app.rules.actions import RulesContext, run


def show(context: RulesContext, waiting: Sequence[Draft]) -> None:
    """Draw the tab."""
    if not waiting:
        st.info("Nothing is proposed.")
    for draft in waiting:
        _proposal(context, draft)


def _proposal(context: RulesContext, draft: Draft) -> None:
    version = context.rules.going_live.parse(draft.contents).version
    kind = "Rollback to" if draft.is_rollback else "Policy"
    with st.container(border=True):
        st.markdown(f"**{kind} {version}**, proposed by {draft.by}")
        st.text(f"Reason: {draft.reason}")
        live = context.rules.store.live()
        st.code(difference(live, draft.contents) or "no difference", language="diff")
        if draft.backtest is not None and draft.backtest.result is not None:
            with st.expander("Backtest", expanded=True):
                backtest_panel.show_result(draft.backtest.result, f"rules_{draft.draft_id}")
        if draft.by == context.person.login:
            st.caption("Another lead promotes or rejects it.")
            _withdraw_button(context, draft)
        else:
            _decision(context, draft, version)


def _withdraw_button(context: RulesContext, draft: Draft) -> None:
    def withdraw() -> str:
        context.rules.decisions.withdraw(context.person, draft.draft_id)
        return "Withdrawn."

    key = f"rules_withdraw_{draft.draft_id}"
    st.button("Withdraw", key=key, on_click=run, args=(withdraw,))


def _decision(context: RulesContext, draft: Draft, version: str) -> None:
    reason = f"rules_why_{draft.draft_id}"
    st.text_input("Reason (for the audit log)", key=reason, max_chars=LONGEST_REASON)

    def promote() -> str:
        why = st.session_state[reason]
        live = context.rules.decisions.promote(context.person, draft.draft_id, why)
        return f"{live.version} is live; the detector uses it from its next micro-batch on."

    def reject() -> str:
        context.rules.decisions.reject(context.person, draft.draft_id, st.session_state[reason])
        return f"{version} is rejected."

    with st.container(horizontal=True):
        st.button(
            "Promote",
            key=f"rules_promote_{draft.draft_id}",
            type="primary",
            on_click=run,
            args=(promote,),
        )
        st.button("Reject", key=f"rules_reject_{draft.draft_id}", on_click=run, args=(reject,))
