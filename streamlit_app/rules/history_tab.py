"""History of the policy: every version that was live, difference, rollback."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fraudwatch.adapters.artefacts.policy_file import difference
from fraudwatch.application.policy.versions import LiveVersion, Origin
from fraudwatch.domain.messages.audit import LONGEST_REASON
from fraudwatch.domain.policy.list_document import instant_text
from streamlit_app.rules.actions import RulesContext, run

_ORIGIN_WORDS = {
    Origin.SEEDED: "first policy of this home",
    Origin.PROMOTED: "promoted by a second person",
    Origin.ROLLED_BACK: "rolled back by a second person",
    Origin.EMERGENCY: "rolled back by one lead alone",
    Origin.COMMAND_LINE: "changed on the command line, without a second person",
    Origin.EDITED_BY_HAND: "file edited by hand, without a second person",
}
_CHOSEN, _REASON = "rules_version_chosen", "rules_rollback_reason"


def show(context: RulesContext) -> None:
    """Draw the tab."""
    history = context.rules.store.history()[::-1]
    if not history:
        st.info("No version is recorded yet: the detector records the first one when it starts.")
        return
    rows = [
        {
            "Live from": instant_text(one.at_ms),
            "Version": one.version,
            "How": _ORIGIN_WORDS[one.origin],
            "Drafted by": one.drafted_by,
            "Promoted by": one.promoted_by,
            "Reason": one.reason,
        }
        for one in history
    ]
    st.dataframe(pd.DataFrame(rows), key="rules_history", hide_index=True)
    chosen = st.selectbox(
        "Version",
        history,
        format_func=lambda one: f"{instant_text(one.at_ms)}  {one.version}",
        key=_CHOSEN,
    )
    contents = context.rules.store.contents_of(chosen.policy_sha256, chosen.lists_sha256)
    if contents is None:
        st.warning("The content of this version is not stored any more.")
        return
    live = context.rules.store.live()
    st.code(difference(live, contents) or "This is the live content.", language="diff")
    if contents != live:
        _rollback(context, chosen)


def _rollback(context: RulesContext, chosen: LiveVersion) -> None:
    st.text_input("Reason (for the audit log)", key=_REASON, max_chars=LONGEST_REASON)

    def propose() -> str:
        why = st.session_state[_REASON]
        context.rules.decisions.propose_rollback(context.person, chosen, why)
        return f"The rollback to {chosen.version} is proposed. Another lead promotes it."

    def alone() -> str:
        why = st.session_state[_REASON]
        context.rules.decisions.roll_back_alone(context.person, chosen, why)
        return f"{chosen.version} is live again, audited as without a second person."

    with st.container(horizontal=True):
        st.button("Propose rollback", key="rules_rollback", on_click=run, args=(propose,))
        st.button(
            "Roll back now, alone",
            key="rules_rollback_alone",
            help="For an emergency; audited as without a second person.",
            on_click=run,
            args=(alone,),
        )
