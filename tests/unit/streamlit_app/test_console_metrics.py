"""Metrics of the console over repeated runs of its script."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import streamlit as st
from prometheus_client import REGISTRY
from streamlit.testing.v1 import AppTest

from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.console.access import Role
from fraudwatch.application.console.accounts import Accounts
from fraudwatch.observability.catalogue.console import PAGES
from fraudwatch.samples import a_verdict
from streamlit_app import metrics, navigation
from streamlit_app.console_services import ServiceSource
from tests.unit.streamlit_app.conftest import PASSWORDS, memory_accounts, memory_services

PASSWORD = PASSWORDS[Role.ANALYST]
NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


# AppTest runs a function's source alone, where no import of this module is known: hence quotes.
def console(source: "ServiceSource", accounts: "Accounts", port: int) -> None:  # noqa: UP037
    from fraudwatch.adapters.memory.casework import MemoryAudit
    from streamlit_app import metrics
    from streamlit_app.app import main

    metrics.serve(port)
    main(source, accounts, MemoryAudit)


@pytest.fixture
def store() -> MemoryVerdictStore:
    st.cache_resource.clear()
    st.cache_data.clear()
    return MemoryVerdictStore()


@pytest.fixture(scope="module")
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def opened(store: MemoryVerdictStore, port: int) -> AppTest:
    source = ServiceSource(
        open_services=lambda: memory_services(store, lambda: NOW), clock=lambda: NOW
    )
    args = (source, memory_accounts(lambda: NOW), port)
    return AppTest.from_function(console, args=args, default_timeout=30).run()


def log_in(app: AppTest, password: str = PASSWORD) -> None:
    app.text_input[0].input("analyst")
    app.text_input[1].input(password)
    app.button[0].click().run()


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"fraudwatch_console_{name}", labels) or 0


def asked(kind: str) -> float:
    return value("query_seconds_count", kind=kind)


def test_many_runs_of_many_sessions_share_one_server(store: MemoryVerdictStore, port: int) -> None:
    for app in [opened(store, port) for _ in range(2)]:
        app.run()
        assert not app.exception
    answer = httpx.get(f"http://127.0.0.1:{port}/metrics")
    assert "fraudwatch_console_query_seconds" in answer.text


def test_sessions_that_come_at_once_start_one_server(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    monkeypatch.setattr(metrics, "start_http_server", lambda port, **_: started.append(port))
    with ThreadPoolExecutor(8) as sessions:
        list(sessions.map(metrics.serve, [1] * 50))
    assert started == [1]


def test_an_occupied_port_disables_the_metrics_and_not_the_page(
    store: MemoryVerdictStore, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", 0))
        occupied.listen()
        number = occupied.getsockname()[1]
        app = opened(store, number)
        app.run()
    assert not app.exception
    warnings = [one.message for one in caplog.records if one.name == metrics.__name__]
    assert len(warnings) == 1
    assert f"port {number} cannot be used" in warnings[0]


def test_queries_are_counted_by_kind_and_cached_answers_are_not(
    store: MemoryVerdictStore, port: int
) -> None:
    kinds = ("newest", "claims", "decisions")
    before = {kind: asked(kind) for kind in kinds}
    app = opened(store, port)
    log_in(app)
    app.run()
    assert {kind: asked(kind) - before[kind] for kind in kinds} == dict.fromkeys(kinds, 1)


def test_the_number_of_alerts_shown_is_a_metric(store: MemoryVerdictStore, port: int) -> None:
    for n in range(3):
        at = NOW - timedelta(seconds=n)
        store.write(
            [a_verdict(transaction_id=f"shop:{n}", decided_at_ms=int(at.timestamp() * 1_000))], []
        )
    log_in(opened(store, port))
    assert value("alerts_shown") == 3


def test_the_load_of_a_page_is_timed_by_its_name(store: MemoryVerdictStore, port: int) -> None:
    before = value("page_seconds_count", page="live")
    app = opened(store, port)
    assert value("page_seconds_count", page="live") == before  # nobody has logged in
    log_in(app)
    assert value("page_seconds_count", page="live") - before == 1
    assert not app.exception


def test_an_unavailable_store_is_counted(store: MemoryVerdictStore, port: int) -> None:
    before = value("store_unavailable_total")
    store.is_reachable = False
    app = opened(store, port)
    log_in(app)
    assert value("store_unavailable_total") > before
    assert not app.exception


def test_sign_ins_refused_are_counted_by_reason(store: MemoryVerdictStore, port: int) -> None:
    reasons = ("wrong", "too_soon")
    before = {reason: value("sign_ins_refused_total", reason=reason) for reason in reasons}
    app = opened(store, port)
    log_in(app, "wrong")
    log_in(app)
    now = {reason: value("sign_ins_refused_total", reason=reason) for reason in reasons}
    assert {reason: now[reason] - before[reason] for reason in reasons} == {
        "wrong": 1,
        "too_soon": 1,
    }


def test_every_page_of_the_menu_has_a_series() -> None:
    menu = {navigation.LIVE, navigation.CASE, navigation.PATTERNS, navigation.RULES}
    menu |= {navigation.SHADOW, navigation.MODEL, navigation.OPERATIONS}
    menu |= {navigation.AUDIT, navigation.ACCOUNTS}
    assert menu == set(PAGES)
