"""Run an action of the Rules page, and show its result once at the top."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from fraudwatch.application.console.access import Forbidden, Person
from fraudwatch.application.policy.versions import PolicyRefused, PolicyUnavailable
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.policy.policy import BrokenPolicy
from streamlit_app.rules.services import RulesServices

NOT_AUDITED = (
    "Nothing was changed: the audit log cannot be written, and every change must be recorded "
    "first. Run `./fraudwatch status` to see what is down, then try again."
)
_RESULT = "rules_result"
_INVALID = "rules_invalid"


@dataclass(frozen=True, slots=True)
class RulesContext:
    """Services and the person who is logged in."""

    rules: RulesServices
    person: Person


def run(action: Callable[[], str]) -> None:
    """Run an action and keep its sentence, or the reason of its refusal, for the next run."""
    is_done(action)


def is_done(action: Callable[[], str]) -> bool:
    """Run an action as :func:`run` does; return whether it was done."""
    st.session_state.pop(_INVALID, None)
    try:
        sentence = action()
    except BrokenPolicy as invalid:
        st.session_state[_INVALID] = str(invalid)
        return False
    except (PolicyRefused, PolicyUnavailable, Forbidden) as refused:
        st.session_state[_RESULT] = (str(refused), False)
        return False
    except NotDelivered:
        st.session_state[_RESULT] = (NOT_AUDITED, False)
        return False
    st.session_state[_RESULT] = (sentence, True)
    return True


def show_last_result() -> None:
    """Show the result of the last action, once."""
    result: tuple[str, bool] | None = st.session_state.pop(_RESULT, None)
    if result is not None:
        (st.success if result[1] else st.error)(result[0])


def show_invalid(*places: str) -> None:
    """Show why the last input was invalid, if the reason begins with one of these places."""
    reason: str | None = st.session_state.get(_INVALID)
    if reason is not None and reason.startswith(places):
        st.error(f"Not saved: {reason}.")
        del st.session_state[_INVALID]


def show_other_invalid() -> None:
    """Show an invalid input whose place has no form of its own."""
    show_invalid("")
