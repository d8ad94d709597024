"""Pages of the console, each with the right that it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.accounts import Accounts
from fraudwatch.application.console.audit import AuditLog
from streamlit_app import navigation
from streamlit_app.case import screen as case
from streamlit_app.console_services import ServiceSource
from streamlit_app.live import screen as live
from streamlit_app.model import screen as model
from streamlit_app.model.services import ModelServices
from streamlit_app.operations import screen as operations
from streamlit_app.operations.services import OperationsServices
from streamlit_app.patterns import screen as patterns
from streamlit_app.people import accounts as accounts_screen
from streamlit_app.people import audit
from streamlit_app.rules import screen as rules
from streamlit_app.rules.services import RulesServices
from streamlit_app.shadow import screen as shadow


@dataclass(frozen=True, slots=True)
class PageServices:
    """Services of all pages; those that only some pages need are opened by them."""

    source: ServiceSource
    accounts: Accounts
    audit_log: Callable[[], AuditLog]
    rules: Callable[[], RulesServices]
    models: Callable[[], ModelServices]
    operations: Callable[[], OperationsServices]


def pages_of(services: PageServices, person: Person | None) -> dict[str, StreamlitPage]:
    """Build the pages that the role permits; each page checks the role itself as well."""
    source = services.source
    pages = {
        # The first page is served at "/"; its own name redirects there.
        navigation.LIVE: (Right.SEE, _page(lambda: live.show(source), "Live", "first", "bolt")),
        navigation.CASE: (Right.SEE, _page(lambda: case.show(source), "Case", "case", "search")),
        navigation.PATTERNS: (
            Right.SEE,
            _page(lambda: patterns.show(source), "Patterns", "patterns", "insights"),
        ),
        navigation.RULES: (
            Right.POLICY,
            _page(lambda: rules.show(services.rules), "Rules", "rules", "rule"),
        ),
        navigation.SHADOW: (
            Right.COMPARE,
            _page(lambda: shadow.show(source), "Shadow", "shadow", "compare"),
        ),
        navigation.MODEL: (
            Right.MODEL,
            _page(lambda: model.show(services.models), "Model", "model", "model_training"),
        ),
        navigation.OPERATIONS: (
            Right.OPERATE,
            _page(
                lambda: operations.show(services.operations),
                "Operations",
                "operations",
                "monitor_heart",
            ),
        ),
        navigation.AUDIT: (
            Right.AUDIT,
            _page(lambda: audit.show(source), "Audit", "audit", "history"),
        ),
        navigation.ACCOUNTS: (
            Right.ACCOUNTS,
            _page(
                lambda: accounts_screen.show(source, services.accounts, services.audit_log),
                "Accounts",
                "accounts",
                "group",
            ),
        ),
    }
    return {
        name: page for name, (right, page) in pages.items() if person is None or person.may(right)
    }


def _page(show: Callable[[], None], title: str, url_path: str, icon: str) -> StreamlitPage:
    return st.Page(show, title=title, url_path=url_path, icon=f":material/{icon}:")
