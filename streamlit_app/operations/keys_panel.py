"""API keys on the Operations page: list them, and revoke one with an audited reason."""

from __future__ import annotations

from typing import Final

import streamlit as st

from fraudwatch.adapters.api_keys.key_file import KeysUnavailable
from fraudwatch.application.api_keys import KeyChangeRefused
from fraudwatch.application.console.access import Forbidden, Person
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.api_keys import ApiKey
from fraudwatch.domain.messages.audit import LONGEST_REASON
from streamlit_app.operations import queries, rows
from streamlit_app.operations.services import OperationsServices
from streamlit_app.people import login

NOT_AUDITED: Final = (
    "Nothing was changed: the audit log cannot be written, and every change must be recorded "
    "first. Run `./fraudwatch status` to see what is down, then try again."
)
_RESULT, _CHOSEN, _REASON = "keys_result", "keys_chosen", "keys_reason"
_COLUMNS: Final = {
    "key": st.column_config.TextColumn("Key", width=90),
    "client": st.column_config.TextColumn("Client", width=150),
    "state": st.column_config.TextColumn("State", width=100),
    "scopes": st.column_config.TextColumn("Scopes", width=150),
    "sources": st.column_config.TextColumn("Sources", width=120),
    "rate": st.column_config.TextColumn("Rate", width=70),
    "made": st.column_config.TextColumn("Made", width=150),
    "expires": st.column_config.TextColumn("Expires", width=150),
}


def show(services: OperationsServices, person: Person) -> None:
    """Draw the keys, and below them the form to revoke one."""
    st.markdown("**API keys**")
    result: tuple[str, bool] | None = st.session_state.pop(_RESULT, None)
    if result is not None:
        (st.success if result[1] else st.error)(result[0])
    try:
        keys = queries.api_keys(services, person)
    except KeysUnavailable as error:
        st.error(f"{error}.")
        return
    if keys:
        st.dataframe(
            rows.key_rows(keys, services.now_ms()),
            key="operations_keys",
            hide_index=True,
            column_config=_COLUMNS,
        )
    st.caption(
        "A key is shown once, where it is made: "
        "`./fraudwatch keys make --client till --scope ingest --source shop`"
    )
    in_effect = {one.key_id: one for one in keys if one.revoked_at_ms is None}
    if in_effect:
        _revoke_form(services, in_effect)


def _revoke_form(services: OperationsServices, keys: dict[str, ApiKey]) -> None:
    with st.form("keys_revoke", border=False):
        st.selectbox(
            "Key",
            list(keys),
            format_func=lambda key_id: f"{key_id}  {keys[key_id].client}",
            key=_CHOSEN,
        )
        st.text_input("Reason (for the audit log)", key=_REASON, max_chars=LONGEST_REASON)
        st.form_submit_button(
            "Revoke for good",
            help="Its client is refused from the next request on.",
            on_click=_revoke,
            args=(services,),
        )


def _revoke(services: OperationsServices) -> None:
    person = login.signed_in_as()
    if person is None:
        return
    form = st.session_state
    try:
        key = queries.revoke(services, person, form[_CHOSEN], form[_REASON])
    except KeyChangeRefused as refused:
        sentence = str(refused)
        form[_RESULT] = (f"{sentence[:1].upper()}{sentence[1:].rstrip('.')}.", False)
    except (Forbidden, KeysUnavailable) as refused:
        form[_RESULT] = (str(refused), False)
    except NotDelivered:
        form[_RESULT] = (NOT_AUDITED, False)
    else:
        form[_RESULT] = (f"The key {key.key_id} of {key.client} is revoked.", True)
        form[_REASON] = ""
