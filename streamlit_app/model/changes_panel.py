"""Approve, try or roll back on the Model page, with an audited reason; the newest changes."""

from __future__ import annotations

from collections.abc import Sequence
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
_BUTTONS: Final = {
    ModelAction.APPROVE: "Approve version {}",
    ModelAction.ROLL_BACK: "Roll back to version {}",
    ModelAction.CANARY: "Try version {} on 5 % of the customers",
    ModelAction.END_CANARY: "End the canary of version {}",
}
_EFFECTS: Final = {
    ModelAction.APPROVE: "Version {} is champion",
    ModelAction.ROLL_BACK: "Version {} is champion",
    ModelAction.CANARY: "Version {} scores 5 % of the customers",
    ModelAction.END_CANARY: "The champion scores all customers",
}
_RESULT, _REASON = "model_result", "model_reason"


def show_last_result() -> None:
    """Show the result of the last action, once."""
    result: tuple[str, bool] | None = st.session_state.pop(_RESULT, None)
    if result is not None:
        (st.success if result[1] else st.error)(result[0])


def show(
    services: ModelServices, person: Person, chosen: VersionSummary, canary: int | None
) -> None:
    """Draw the form of what can be done with the chosen version, and the newest changes.

    ``canary``: the version that is on trial.
    """
    actions = _possible(chosen, canary)
    if actions:
        _form(services, chosen, actions)
    try:
        runs = queries.runs(services, person)
    except ModelChangeRefused as error:
        # It ends as the refusal of a change, and here none was asked for.
        reason = str(error).removesuffix(" Nothing was changed.")
        st.info(f"{reason} {_by_hand(chosen, actions)}")
        return
    if runs:
        st.markdown("**Changes of champion and canary**")
        st.dataframe(rows.run_rows(runs), key="model_runs", hide_index=True)
        st.button("Reload", key="model_reload")


def _possible(chosen: VersionSummary, canary: int | None) -> list[ModelAction]:
    if chosen.is_active:
        return []
    actions = []
    if chosen.is_waiting:
        actions.append(ModelAction.APPROVE)
    elif chosen.was_promoted:
        actions.append(ModelAction.ROLL_BACK)
    if chosen.version == canary:
        actions.append(ModelAction.END_CANARY)
    elif actions:
        actions.append(ModelAction.CANARY)
    return actions


def _form(services: ModelServices, chosen: VersionSummary, actions: Sequence[ModelAction]) -> None:
    with st.form("model_change", border=False):
        st.text_input("Reason (for the audit log)", key=_REASON, max_chars=LONGEST_REASON)
        for place, action in enumerate(actions):
            st.form_submit_button(
                _BUTTONS[action].format(chosen.version),
                type="secondary" if place else "primary",
                help="The detector uses it from the next micro-batch after the change on.",
                on_click=_change,
                args=(services, chosen.version, action),
            )


def _by_hand(chosen: VersionSummary, actions: Sequence[ModelAction]) -> str:
    commands = [
        f"`./fraudwatch model {action}`"
        if action is ModelAction.END_CANARY
        else f"`./fraudwatch model {action} {chosen.version}`"
        for action in actions
    ]
    return f"On the machine: {' or '.join(commands)}." if commands else ""


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
            f"Started as {run_id}. {_EFFECTS[action].format(version)} in about a minute; the list "
            "below shows whether the change succeeded."
        )
        form[_RESULT], form[_REASON] = (sentence, True), ""
        queries.forget_runs()
