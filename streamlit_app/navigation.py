"""Navigation between pages; the address holds a page's subject, so each can be linked to."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.navigation.page import StreamlitPage

LIVE, CASE, PATTERNS, AUDIT, ACCOUNTS = "live", "case", "patterns", "audit", "accounts"
RULES = "rules"
SHADOW = "shadow"
MODEL = "model"
OPERATIONS = "operations"
# The query parameter of a case.
TRANSACTION = "transaction"
_PAGES = "declared_pages"


def declare(pages: Mapping[str, StreamlitPage]) -> None:
    """Register the pages of this session, by the names above."""
    st.session_state[_PAGES] = dict(pages)


def other_addresses(pages: Mapping[str, StreamlitPage]) -> list[StreamlitPage]:
    """Hidden pages that redirect: the first page is at "/", and its name must work as well."""
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
    """Switch to a page; without registered pages, as in a test, only set the query."""
    page = st.session_state.get(_PAGES, {}).get(name)
    if page is None:
        st.query_params.from_dict(query)
        return
    st.switch_page(page, query_params=query)


def open_case(transaction_id: str) -> None:
    """Switch to the page of one case."""
    go(CASE, **{TRANSACTION: transaction_id})


def query_parameter(parameter: str) -> str | None:
    """Return a query parameter of the address, if it is there."""
    return st.query_params.get(parameter)
