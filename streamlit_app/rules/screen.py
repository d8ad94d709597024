"""Rules page of leads: live policy in words, draft with backtest, proposals, history."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from fraudwatch.application.console.access import Right
from fraudwatch.application.policy.versions import PolicyUnavailable
from streamlit_app.people import login
from streamlit_app.rules import backtest_panel, draft_tab, history_tab, live_tab, proposals_tab
from streamlit_app.rules.actions import RulesContext, show_last_result
from streamlit_app.rules.services import RulesServices


def show(open_services: Callable[[], RulesServices]) -> None:
    """Draw the page."""
    person = login.require(Right.POLICY)
    backtest_panel.open_chosen_case()
    context = RulesContext(open_services(), person)
    st.subheader("Rules", anchor=False)
    show_last_result()
    try:
        waiting = context.rules.decisions.proposals(person)
        live, draft, proposals, history = st.tabs(
            ["Live policy", "Draft", f"Proposals ({len(waiting)})", "History"]
        )
        with live:
            live_tab.show(context)
        with draft:
            draft_tab.show(context)
        with proposals:
            proposals_tab.show(context, waiting)
        with history:
            history_tab.show(context)
    except PolicyUnavailable as error:
        st.error(f"The policy cannot be read now: {error}")
