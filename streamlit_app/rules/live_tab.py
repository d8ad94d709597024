"""Live policy in words, and its lists."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fraudwatch.adapters.artefacts.policy_file import parse_lists, parse_rules
from fraudwatch.application.policy.versions import PolicyContents
from fraudwatch.domain.policy.list_document import ListEntry, instant_text
from fraudwatch.domain.policy.policy import BrokenPolicy
from fraudwatch.domain.policy.words import limits_in_words, rules_in_words
from streamlit_app.rules.actions import RulesContext

_COLUMNS = {
    "list": st.column_config.TextColumn("List", width=60),
    "kind": st.column_config.TextColumn("Kind", width=90),
    "value": st.column_config.TextColumn("Value", width=230),
    "reason": st.column_config.TextColumn("Reason", width=380),
    "by": st.column_config.TextColumn("By", width=100),
    "added": st.column_config.TextColumn("Added", width=160),
    "expires": st.column_config.TextColumn("Until (time of the purchase)", width=170),
}


def show(context: RulesContext) -> None:
    """Draw the tab."""
    live = context.rules.store.live()
    history = context.rules.store.history()
    last = history[-1] if history else None
    if last is not None and (live.policy_sha256, live.lists_sha256) != (
        last.policy_sha256,
        last.lists_sha256,
    ):
        _warn_of_hand_edit(context)
    try:
        show_contents(live)
    except BrokenPolicy as error:
        st.error(
            f"The live file is invalid, so the detector uses the policy of before: {error}. Roll "
            "back in History."
        )


def show_contents(contents: PolicyContents) -> None:
    """Describe a policy and its lists.

    Raises:
        BrokenPolicy: they are invalid.
    """
    policy = parse_rules(*contents)
    st.caption(f"Version {policy.version}, as every verdict names it")
    st.markdown("**Limits**")
    st.markdown("\n".join(f"- **{one.title}**: {one.text}" for one in limits_in_words(policy)))
    st.markdown("**Rules**")
    st.markdown("\n".join(f"- **{one.title}**: {one.text}" for one in rules_in_words(policy)))
    st.markdown("**Lists**")
    show_entries(parse_lists(contents.lists).entries)


def show_entries(entries: tuple[ListEntry, ...]) -> None:
    """Draw the table of list entries."""
    if not entries:
        st.caption("Nothing is listed.")
        return
    rows = [
        {
            "list": str(one.name),
            "kind": str(one.kind),
            "value": one.value,
            "reason": one.reason,
            "by": one.by,
            "added": instant_text(one.added_at_ms),
            "expires": "for ever" if one.expires_at_ms is None else instant_text(one.expires_at_ms),
        }
        for one in entries
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=_COLUMNS)


def _warn_of_hand_edit(context: RulesContext) -> None:
    if context.rules.are_hand_edits_used:
        st.warning("The file was edited by hand; the edit is recorded within seconds.")
    else:
        st.warning(
            "The file was edited by hand, and the detector refuses the edit "
            "(POLICY_HAND_EDITS=False): it uses the last promoted policy."
        )
