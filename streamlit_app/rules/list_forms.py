"""Lists of a draft: entries with reason and expiry, added and removed."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from fraudwatch.adapters.artefacts.policy_file import lists_yaml, parse_lists
from fraudwatch.application.policy.versions import PolicyContents
from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.domain.messages.audit import LONGEST_REASON
from fraudwatch.domain.policy.list_document import ListEntry, ListKind, ListName, instant_text
from streamlit_app.rules.actions import RulesContext, is_done
from streamlit_app.rules.live_tab import show_entries

_NAME, _KIND, _VALUE = "rules_list_name", "rules_list_kind", "rules_list_value"
_REASON, _UNTIL, _REMOVED = "rules_list_reason", "rules_list_until", "rules_list_removed"
_LIST_WORDS = {ListName.DENY: "deny: declined", ListName.ALLOW: "allow: approved over the rest"}


def show(context: RulesContext, contents: PolicyContents) -> None:
    """Draw the entries, and the forms to add and remove one."""
    entries = parse_lists(contents.lists).entries
    show_entries(entries)
    with st.form("rules_list_add", border=False):
        left, middle, right = st.columns([1, 1, 2])
        left.selectbox("List", list(ListName), format_func=_LIST_WORDS.__getitem__, key=_NAME)
        middle.selectbox("Kind", list(ListKind), key=_KIND)
        right.text_input("Token, merchant or country", key=_VALUE)
        left.date_input("Until (purchases before this day, UTC)", value=None, key=_UNTIL)
        right.text_input("Reason of the entry", key=_REASON, max_chars=LONGEST_REASON)
        st.form_submit_button("Add to draft", on_click=_add, args=(context, contents))
    if entries:
        st.selectbox("Entry to remove", entries, format_func=_title, key=_REMOVED)
        st.button(
            "Remove from draft",
            key="rules_list_remove",
            on_click=_remove,
            args=(context, contents),
        )


def _add(context: RulesContext, contents: PolicyContents) -> None:
    form, until = st.session_state, st.session_state[_UNTIL]
    expires_at = None if until is None else datetime(until.year, until.month, until.day, tzinfo=UTC)
    entry = ListEntry(
        name=form[_NAME],
        kind=form[_KIND],
        value=form[_VALUE].strip(),
        reason=form[_REASON].strip(),
        by=context.person.login,
        # The file has whole seconds.
        added_at_ms=context.rules.going_live.now_ms() // 1_000 * 1_000,
        expires_at_ms=None if expires_at is None else epoch_ms_of(expires_at),
    )
    entries = (*parse_lists(contents.lists).entries, entry)
    if _save(context, contents, entries, "The entry is in the draft."):
        form[_VALUE] = form[_REASON] = ""


def _remove(context: RulesContext, contents: PolicyContents) -> None:
    removed: ListEntry = st.session_state[_REMOVED]
    entries = parse_lists(contents.lists).entries
    kept = tuple(one for one in entries if one.key != removed.key)
    _save(context, contents, kept, "The entry is no longer in the draft.")


def _save(
    context: RulesContext,
    contents: PolicyContents,
    entries: tuple[ListEntry, ...],
    sentence: str,
) -> bool:
    def save() -> str:
        edited = PolicyContents(contents.policy, lists_yaml(entries))
        context.rules.drafts.save(context.person, edited)
        return sentence

    return is_done(save)


def _title(entry: ListEntry) -> str:
    until = "" if entry.expires_at_ms is None else f", until {instant_text(entry.expires_at_ms)}"
    return f"{entry.name} {entry.kind} {entry.value}{until}"
