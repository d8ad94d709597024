"""From one screen to another, with what it is about in the address: each can be linked to."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.navigation.page import StreamlitPage

LIVE, CASE, PATTERNS, AUDIT, ACCOUNTS = "live", "case", "patterns", "audit", "accounts"
# The query parameter of a case.
TRANSACTION = "transaction"
_PAGES = "declared_pages"


def declare(pages: Mapping[str, StreamlitPage]) -> None:
    """Say which screens this person has, by the names above."""
    st.session_state[_PAGES] = dict(pages)


def other_addresses(pages: Mapping[str, StreamlitPage]) -> list[StreamlitPage]:
    """Pages that lead on: the first screen lies at "/", and people type its name all the same."""
    if LIVE not in pages:
        return []
    return [
        st.Page(
            lambda: go(LIVE, **st.query_params.to_dict()),
            title="Live",
            url_path=LIVE,
            visibility="hidden",
        )
    ]


def go(name: str, **query: str) -> None:
    """Show a screen; one that stands alone, as in a test, only takes over the query."""
    page = st.session_state.get(_PAGES, {}).get(name)
    if page is None:
        st.query_params.from_dict(query)
        return
    st.switch_page(page, query_params=query)


def open_case(transaction_id: str) -> None:
    """Show one case."""
    go(CASE, **{TRANSACTION: transaction_id})


def asked_for(parameter: str) -> str | None:
    """What the address asks this screen for."""
    return st.query_params.get(parameter)
