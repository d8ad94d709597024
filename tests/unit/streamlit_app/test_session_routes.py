"""Routes of the session cookie: tickets, activity and requests from other sites."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from argon2.profiles import CHEAPEST
from starlette.applications import Starlette
from starlette.testclient import TestClient

from fraudwatch.adapters.accounts.argon2_hasher import Argon2Hasher
from fraudwatch.adapters.memory.accounts import MemoryAccountStore
from fraudwatch.application.console.access import Role
from fraudwatch.application.console.accounts import Accounts
from streamlit_app.people.session_cookie import ACTIVE, BEGIN, COOKIE, Tickets
from streamlit_app.people.session_routes import session_routes
from tests.unit.streamlit_app.conftest import PASSWORDS

NOW_MS = 1_772_000_000_000
IDLE_MS = 60_000


@dataclass
class Site:
    store: MemoryAccountStore = field(default_factory=MemoryAccountStore)
    now_ms: int = NOW_MS
    seconds: float = 0.0

    def __post_init__(self) -> None:
        hasher = Argon2Hasher(CHEAPEST)
        self.accounts = Accounts(self.store, hasher, lambda: self.now_ms, idle_ms=IDLE_MS)
        self.accounts.seed(PASSWORDS)
        self.tickets = Tickets(lambda: self.seconds)
        app = Starlette(routes=list(session_routes(self.accounts.sessions, self.tickets)))
        self.browser = TestClient(app, base_url="http://console.example")

    def token(self) -> str:
        account = self.accounts.check("lead", PASSWORDS[Role.LEAD])
        assert account is not None
        return self.accounts.sessions.begin(account)


@pytest.fixture
def site() -> Site:
    return Site()


def test_a_ticket_sets_a_cookie_that_scripts_cannot_read(site: Site) -> None:
    token = site.token()
    response = site.browser.post(BEGIN, content=site.tickets.issue(token))
    assert response.status_code == 204
    assert response.cookies[COOKIE] == token
    attributes = response.headers["set-cookie"].lower()
    assert "httponly" in attributes
    assert "samesite=lax" in attributes
    assert "secure" not in attributes


def test_the_cookie_of_an_encrypted_page_is_sent_encrypted_only(site: Site) -> None:
    ticket = site.tickets.issue(site.token())
    headers = {"X-Forwarded-Proto": "https"}
    response = site.browser.post(BEGIN, content=ticket, headers=headers)
    assert "secure" in response.headers["set-cookie"].lower()


def test_a_ticket_is_good_once_and_for_a_minute(site: Site) -> None:
    used, late = site.tickets.issue(site.token()), site.tickets.issue(site.token())
    assert site.browser.post(BEGIN, content=used).status_code == 204
    assert site.browser.post(BEGIN, content=used).status_code == 401
    site.seconds = 61
    assert not site.tickets.is_open(late)
    assert site.browser.post(BEGIN, content=late).status_code == 401


def test_garbage_instead_of_a_ticket_is_refused(site: Site) -> None:
    assert site.browser.post(BEGIN, content=b"\xff\x00" * 100).status_code == 401
    assert site.browser.post(BEGIN).status_code == 401


def test_activity_extends_the_session_of_the_cookie(site: Site) -> None:
    token = site.token()
    site.browser.cookies.set(COOKIE, token)
    site.now_ms += IDLE_MS - 1
    assert site.browser.post(ACTIVE).status_code == 204
    site.now_ms += IDLE_MS - 1
    assert site.accounts.sessions.find(token)
    site.now_ms += 1
    assert site.browser.post(ACTIVE).status_code == 401


def test_another_site_neither_begins_nor_extends_a_session(site: Site) -> None:
    ticket, foreign = site.tickets.issue(site.token()), {"Origin": "http://evil.example"}
    assert site.browser.post(BEGIN, content=ticket, headers=foreign).status_code == 403
    assert site.tickets.is_open(ticket)
    site.browser.cookies.set(COOKIE, site.token())
    assert site.browser.post(ACTIVE, headers=foreign).status_code == 401
    own = {"Origin": "http://console.example"}
    assert site.browser.post(ACTIVE, headers=own).status_code == 204


def test_an_unreadable_store_is_reported(site: Site) -> None:
    site.browser.cookies.set(COOKIE, site.token())
    site.store.is_reachable = False
    assert site.browser.post(ACTIVE).status_code == 503
