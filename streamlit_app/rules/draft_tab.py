"""Draft of a policy: forms with validation, lists, backtest, proposal."""

from __future__ import annotations

from datetime import date
from typing import Any

import streamlit as st

from fraudwatch.adapters.artefacts.policy_file import difference, document_of, policy_yaml
from fraudwatch.application.policy.versions import Draft, PolicyContents
from fraudwatch.domain.messages.audit import LONGEST_REASON
from streamlit_app.rules import backtest_panel, list_forms, rule_forms
from streamlit_app.rules.actions import RulesContext, run, show_invalid, show_other_invalid

# How reasons of an invalid limit begin.
_LIMIT_PLACES = ("review", "decline", "novelty", "control", "critical", "version", "risk", "deny")
_REASON = "rules_reason"


def show(context: RulesContext) -> None:
    """Draw the tab."""
    draft = context.rules.drafts.open_draft(context.person)
    contents = draft.contents if draft else context.rules.store.live()
    document = document_of(contents.policy)
    st.caption(
        "Change what you like and save; nothing is live before a backtest and before another lead "
        "has promoted it."
    )
    limits, rules, lists = st.tabs(["Limits", "Rules", "Lists"])
    with limits:
        show_invalid(*_LIMIT_PLACES)
        _form(context, contents, document, "limits", rule_forms.limits)
    with rules:
        show_invalid("rule", "there is no rule")
        _form(context, contents, document, "rules", rule_forms.rules)
    with lists:
        show_invalid("entry")
        list_forms.show(context, contents)
    show_other_invalid()
    if draft is None:
        st.info("There is no draft yet: the forms show the live policy.")
        _draft_from_default(context, contents)
        return
    st.divider()
    _difference(context, draft)
    _propose(context, backtest_panel.show(context, draft))


def _form(
    context: RulesContext,
    contents: PolicyContents,
    document: dict[str, Any],
    name: str,
    fields: rule_forms.Fields,
) -> None:
    with st.form(f"rules_{name}", border=False):
        # Other contents are other widgets: a discarded draft leaves no input behind.
        read = fields(document, f"rules_{contents.policy_sha256[:8]}")
        if st.form_submit_button("Save draft", key=f"rules_save_{name}", type="primary"):
            changed = read(document)
            heading = f"Drafted on {date.today()} by {context.person.login}; see docs/rules.md."  # noqa: DTZ011  a comment
            edited = PolicyContents(policy_yaml(changed, heading), contents.lists)
            run(lambda: _saved(context, edited))
            st.rerun()


def _saved(context: RulesContext, edited: PolicyContents) -> str:
    context.rules.drafts.save(context.person, edited)
    return "The draft is saved. It needs a backtest before it can be proposed."


def _draft_from_default(context: RulesContext, live: PolicyContents) -> None:
    """Offer the shipped default, which an upgrade may have changed, as a draft."""
    shipped = PolicyContents(context.rules.shipped, live.lists)
    if not difference(live, shipped):
        return
    st.caption("This version ships a default policy that differs from the live one.")
    st.button(
        "Draft from the shipped default",
        key="rules_default",
        on_click=run,
        args=(lambda: _saved(context, shipped),),
    )


def _difference(context: RulesContext, draft: Draft) -> None:
    st.markdown("**Difference to the live policy**")
    text = difference(context.rules.store.live(), draft.contents)
    st.code(text or "none", language="diff")

    def discard() -> str:
        context.rules.drafts.discard(context.person)
        return "The draft is discarded."

    st.button("Discard draft", key="rules_discard", on_click=run, args=(discard,))


def _propose(context: RulesContext, draft: Draft) -> None:
    st.markdown("**Propose**")
    st.text_input("Reason (for the audit log)", key=_REASON, max_chars=LONGEST_REASON)

    def propose() -> str:
        context.rules.drafts.propose(context.person, st.session_state[_REASON])
        return "Proposed. Another lead promotes or rejects it."

    st.button(
        "Propose for promotion",
        key="rules_propose",
        type="primary",
        disabled=not draft.is_backtested,
        help=None if draft.is_backtested else "Run a backtest of the draft as it is now first.",
        on_click=run,
        args=(propose,),
    )
