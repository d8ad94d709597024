"""Texts of a case's target, assignment and snooze; pure: the current time is an argument."""

from __future__ import annotations

from fraudwatch.application.console.alerts import Alert
from fraudwatch.application.console.handling import Handling
from fraudwatch.application.console.next_case import WaitingCase
from fraudwatch.application.console.sla import due_at_ms
from streamlit_app.view_models import age_text, clock_time


def due_text(alert: Alert, now_ms: int) -> str:
    """Time left to the target, or since: ``in 40 min``, ``3 h overdue``."""
    return time_left(due_at_ms(alert), now_ms)


def time_left(due_ms: int, now_ms: int) -> str:
    """Time left until an instant, or since: ``in 40 min``, ``3 h overdue``."""
    if due_ms > now_ms:
        return f"in {age_text(due_ms - now_ms)}"
    return f"{age_text(now_ms - due_ms)} overdue"


def due_words(due_ms: int, now_ms: int) -> str:
    """The same within a sentence: ``due in 40 min``, ``3 h overdue``."""
    left = time_left(due_ms, now_ms)
    return f"due {left}" if due_ms > now_ms else left


def status_words(case: WaitingCase, login: str, now_ms: int) -> str:
    """Name the person with the case, else the end of its snooze, else whom it is assigned to."""
    if case.claimed_by is not None:
        return "★ Yours" if case.claimed_by == login else f"With {case.claimed_by}"
    return handling_words(case.handling, login, now_ms) or "Open"


def handling_words(handling: Handling, login: str, now_ms: int) -> str:
    """Snooze or assignment in few words; empty: neither."""
    if handling.is_snoozed(now_ms) and handling.snoozed_until_ms is not None:
        return f"Snoozed, {age_text(handling.snoozed_until_ms - now_ms)}"
    if handling.assigned_to is None:
        return ""
    return "For you" if handling.assigned_to == login else f"For {handling.assigned_to}"


def handling_lines(alert: Alert, handling: Handling, now_ms: int) -> list[str]:
    """Target, assignment and snooze of an open case, as sentences."""
    opened, target = (
        age_text(now_ms - alert.decided_at_ms),
        age_text(due_at_ms(alert) - alert.decided_at_ms),
    )
    due = due_words(due_at_ms(alert), now_ms)
    lines = [f"Open for {opened}; target {target}, {due}."]
    if handling.assigned_to is not None:
        by = "" if handling.assigned_by == handling.assigned_to else f" by {handling.assigned_by}"
        lines.append(f"Assigned to {handling.assigned_to}{by}.")
    if handling.is_snoozed(now_ms) and handling.snoozed_until_ms is not None:
        until = clock_time(handling.snoozed_until_ms, now_ms)
        lines.append(f"Snoozed until {until} by {handling.snoozed_by}: “{handling.snooze_reason}”")
    return lines
