"""Entry point of the console: wire settings, services and pages; login comes first."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from fraudwatch.adapters.accounts.account_store import SqliteAccountStore
from fraudwatch.adapters.accounts.argon2_hasher import Argon2Hasher
from fraudwatch.adapters.audit_outbox_file import audit_outbox
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.edge.edge_revealer import EdgeRevealer
from fraudwatch.adapters.kafka_log.log import KafkaTopic
from fraudwatch.adapters.store.alerts import CassandraAlertReader
from fraudwatch.adapters.store.audit import CassandraAudit
from fraudwatch.adapters.store.cases import CassandraCases
from fraudwatch.adapters.store.claims import CassandraClaims
from fraudwatch.adapters.store.handling import CassandraHandlings
from fraudwatch.adapters.store.open_alerts import CassandraOpenAlerts
from fraudwatch.adapters.store.reviews import CassandraReviews
from fraudwatch.adapters.store.session import connect
from fraudwatch.adapters.store.shadow import CassandraShadowReader
from fraudwatch.adapters.store.tallies import CassandraTallies
from fraudwatch.application.console.access import Person, Role
from fraudwatch.application.console.access_log import AccessLog
from fraudwatch.application.console.account_rules import AccountsUnavailable
from fraudwatch.application.console.accounts import Accounts
from fraudwatch.application.console.audit import AuditLog, PublishedAudit
from fraudwatch.application.console.decide import Decisions
from fraudwatch.application.console.group_decision import GroupDecisions
from fraudwatch.application.console.handling import CaseHandling
from fraudwatch.application.console.reviews import Reviews
from fraudwatch.domain.time_units import MINUTE_MS
from fraudwatch.settings import CassandraSettings, ConsoleSettings, KafkaSettings, RevealSettings
from fraudwatch.topics import AUDIT_TOPIC, LABELS_TOPIC
from streamlit_app import metrics, navigation
from streamlit_app.console_services import ConsoleServices, ServiceSource
from streamlit_app.model.services import ModelServices, open_models
from streamlit_app.operations.services import OperationsServices, open_operations
from streamlit_app.pages import PageServices, pages_of
from streamlit_app.people import access, login, own_password, session_cookie
from streamlit_app.rules.services import RulesServices, open_rules

# Request timeout: a page that refreshes each second cannot use a later answer.
STORE_TIMEOUT_SECONDS = 2.0
# An analyst waits for the acknowledgement of a decision.
BROKER_TIMEOUT_SECONDS = 5.0

# Streamlit's own button on each table leaves no audit record.
_NO_UNRECORDED_DOWNLOADS = """<style>
[data-testid="stElementToolbar"] [aria-label^="Download as CSV"] { display: none; }
</style>"""


def main(
    source: ServiceSource,
    accounts: Accounts,
    audit_log: Callable[[], AuditLog],
    access_log: AccessLog | None = None,
) -> None:
    """Show the requested page, or the login form before login."""
    st.set_page_config(page_title="Fraudwatch", page_icon="🛡️", layout="wide")
    access.declare(access_log)
    login.declare(accounts)
    person = login.signed_in_as()
    # Declared before the login, so that a link into the console is never "not found".
    services = PageServices(
        source,
        accounts,
        audit_log,
        rules=lambda: _open_rules(audit_log),
        models=lambda: _open_models(audit_log),
        operations=lambda: _open_operations(audit_log),
    )
    pages = pages_of(services, person)
    navigation.declare(pages)
    declared = [*pages.values(), *navigation.other_addresses(pages)]
    page = st.navigation(declared, position="top" if person else "hidden")
    if person is None:
        login.show(accounts)
        return
    login.watch(person)
    session_cookie.draw(accounts.idle_ms)
    st.html(_NO_UNRECORDED_DOWNLOADS)
    _header(accounts, person)
    name = next((name for name, one in pages.items() if one is page), None)
    if name is None:  # an address that redirects
        page.run()
        return
    with metrics.timed_page(name):
        page.run()


def _header(accounts: Accounts, person: Person) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Fraudwatch", anchor=False, width="stretch")
        st.caption("All times are UTC", width="content")
        st.text(f"{person.login} ({person.role})", width="content")
        st.button("Change password", on_click=own_password.open_dialog)
        st.button("Log out", on_click=login.sign_out)
    own_password.show(accounts, person)


def _open_services() -> ConsoleServices:
    session = connect(CassandraSettings(), request_timeout_seconds=STORE_TIMEOUT_SECONDS)
    reveal, claims, alerts = (
        RevealSettings(),
        CassandraClaims(session),
        CassandraAlertReader(session),
    )
    labels = KafkaTopic(KafkaSettings(), LABELS_TOPIC, timeout_seconds=BROKER_TIMEOUT_SECONDS)
    deciders = _open_accounts(ConsoleSettings()).deciders
    return ConsoleServices(
        alerts=alerts,
        open_alerts=CassandraOpenAlerts(session),
        cases=CassandraCases(session),
        claims=claims,
        decisions=Decisions(labels, claims, encode, now_ms=_now_ms),
        group_decisions=GroupDecisions(labels, claims, encode, _open_audit_log),
        handling=CaseHandling(
            CassandraHandlings(session), claims, _open_audit_log, deciders, _now_ms
        ),
        reviews=Reviews(CassandraReviews(session), alerts, _open_audit_log, _now_ms),
        tallies=CassandraTallies(session),
        audit=CassandraAudit(session),
        revealer=EdgeRevealer(reveal.url, reveal.api_key.get_secret_value()),
        shadow=CassandraShadowReader(session),
    )


@st.cache_resource(show_spinner=False)
def _open_accounts(_settings: ConsoleSettings) -> Accounts:
    """Open the accounts of this machine; the first start creates one for each role."""
    store = SqliteAccountStore(_settings.accounts_folder)
    idle_ms = int(_settings.idle_minutes * MINUTE_MS)
    accounts = Accounts(store, Argon2Hasher(), _now_ms, idle_ms)
    accounts.seed(
        {
            Role.ANALYST: _settings.analyst_password.get_secret_value(),
            Role.LEAD: _settings.lead_password.get_secret_value(),
            Role.ADMIN: _settings.admin_password.get_secret_value(),
        }
    )
    return accounts


@st.cache_resource(show_spinner=False)
def _open_audit_log() -> AuditLog:
    topic = KafkaTopic(KafkaSettings(), AUDIT_TOPIC, timeout_seconds=BROKER_TIMEOUT_SECONDS)
    return PublishedAudit(topic, encode)


@st.cache_resource(show_spinner=False)
def _open_access_log(folder: Path) -> AccessLog:
    return AccessLog(audit_outbox(folder), _now_ms)


@st.cache_resource(show_spinner=False)
def _open_rules(_audit_log: Callable[[], AuditLog]) -> RulesServices:
    return open_rules(_audit_log)


@st.cache_resource(show_spinner=False)
def _open_models(_audit_log: Callable[[], AuditLog]) -> ModelServices:
    return open_models(_audit_log)


@st.cache_resource(show_spinner=False)
def _open_operations(_audit_log: Callable[[], AuditLog]) -> OperationsServices:
    return open_operations(_audit_log)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    settings = ConsoleSettings()
    metrics.serve(settings.metrics_port)
    try:
        accounts = _open_accounts(settings)
    except AccountsUnavailable as error:
        login.show_unavailable(error)
    else:
        access_log = _open_access_log(settings.accounts_folder)
        main(ServiceSource(_open_services), accounts, _open_audit_log, access_log)
