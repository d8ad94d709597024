"""Approve or roll back on the Model page, with an audited reason; the newest changes."""

from __future__ import annotations

from typing import Final

import streamlit as st

from fraudwatch.application.console.access import Forbidden, Person
from fraudwatch.application.ports import NotDelivered
from fraudwatch.application.promotion.model_changes import (
    ModelAction,
    ModelChangeRefused,
    SummaryUnavailable,
)
from fraudwatch.application.promotion.registry_summary import VersionSummary
from fraudwatch.domain.messages.audit import LONGEST_REASON
from streamlit_app.model import queries, rows
from streamlit_app.model.services import ModelServices
from streamlit_app.people import login

NOT_AUDITED: Final = (
    "Nothing was changed: the audit log cannot be written, and every change must be recorded "
    "first. Run `./fraudwatch status` to see what is down, then try again."
)
_RESULT, _REASON = "model_result", "model_reason"


def show_last_result() -> None:
    """Show the result of the last action, once."""
    result: tuple[str, bool] | None = st.session_state.pop(_RESULT, None)
    if result is not None:
        (st.success if result[1] else st.error)(result[0])


def show(services: ModelServices, person: Person, chosen: VersionSummary) -> None:
    """Draw the form for the chosen version, if it can be promoted, and the newest changes."""
    action = _possible(chosen)
    if action is not None:
        _form(services, chosen, action)
    try:
        runs = queries.runs(services, person)
    except ModelChangeRefused as error:
        # It ends as the refusal of a change, and here none was asked for.
        reason = str(error).removesuffix(" Nothing was changed.")
        st.info(f"{reason} {_by_hand(chosen, action)}")
        return
    if runs:
        st.markdown("**Changes of the champion**")
        st.dataframe(rows.run_rows(runs), key="model_runs", hide_index=True)
        st.button("Reload", key="model_reload")


def _possible(chosen: VersionSummary) -> ModelAction | None:
    if chosen.is_waiting:
        return ModelAction.APPROVE
    if chosen.was_promoted and not chosen.is_active:
        return ModelAction.ROLL_BACK
    return None


def _form(services: ModelServices, chosen: VersionSummary, action: ModelAction) -> None:
    verb = "Approve" if action is ModelAction.APPROVE else "Roll back to"
    with st.form("model_change", border=False):
        st.text_input("Reason (for the audit log)", key=_REASON, max_chars=LONGEST_REASON)
        st.form_submit_button(
            f"{verb} version {chosen.version}",
            type="primary",
            help="The detector uses it from the next micro-batch after the change on.",
            on_click=_change,
            args=(services, chosen.version, action),
        )


def _by_hand(chosen: VersionSummary, action: ModelAction | None) -> str:
    if action is None:
        return ""
    return f"On the machine: `./fraudwatch model {action} {chosen.version}`."


def _change(services: ModelServices, version: int, action: ModelAction) -> None:
    person = login.signed_in_as()
    if person is None:
        return
    form = st.session_state
    try:
        run_id = services.changes.change(person, action, version, form[_REASON])
    except (ModelChangeRefused, Forbidden, SummaryUnavailable) as refused:
        form[_RESULT] = (str(refused), False)
    except NotDelivered:
        form[_RESULT] = (NOT_AUDITED, False)
    else:
        sentence = (
            f"Started as {run_id}. Version {version} is champion in about a minute; the list below "
            "shows whether the change succeeded."
        )
        form[_RESULT], form[_REASON] = (sentence, True), ""
        queries.forget_runs()
