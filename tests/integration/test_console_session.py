"""Sessions of the console in a real browser; without engines, since every page knows its user."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect

from fraudwatch.stack.home import ROOT
from tests.e2e.console_browser import TIMEOUT_MS, chromium
from tests.oidc_provider import Provider
from tests.ports import free_port, wait_until_listening

ADMIN = "first-word-of-an-admin"
CLIENT_ID = "fraudwatch-console"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    # The console of a test starts with the first page, which takes long on a busy machine.
    context.set_default_timeout(120_000)
    yield context
    context.close()


@contextmanager
def console(folder: Path, **settings: str) -> Iterator[str]:
    port = free_port()
    environment = os.environ | {
        "CONSOLE_METRICS_PORT": str(free_port()),
        "CONSOLE_ACCOUNTS_FOLDER": str(folder / "console"),
        "CONSOLE_ANALYST_PASSWORD": "first-word-of-an-analyst",
        "CONSOLE_LEAD_PASSWORD": "first-word-of-a-lead",
        "CONSOLE_ADMIN_PASSWORD": ADMIN,
        "CONSOLE_OIDC_COOKIE_SECRET": "signs-the-answer-of-a-provider-77",
        "CASSANDRA_PORT": "1",
        "CASSANDRA_USERNAME": "console",
        "CASSANDRA_PASSWORD": "no-cassandra-is-here",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "KAFKA_USERNAME": "console",
        "KAFKA_PASSWORD": "no-broker-is-here",
        "REVEAL_URL": "http://127.0.0.1:1",
        "REVEAL_API_KEY": "no-ingest-is-here",
        "POLICY_FOLDER": str(folder / "policy"),
        "POLICY_DEFAULT_PATH": str(ROOT / "contracts/policies/default.yaml"),
        "POLICY_DETECTOR_FOLDER": str(folder / "detector"),
        "BACKTEST_FOLDER": str(folder / "backtests"),
        "BACKTEST_AIRFLOW_URL": "http://127.0.0.1:1",
        "BACKTEST_AIRFLOW_PASSWORD": "no-airflow-is-here",
        "CONSOLE_OIDC_REDIRECT_URL": f"http://127.0.0.1:{port}/oauth2callback",
    }
    command = [sys.executable, "-m", "streamlit_app", "--server.port", str(port)]
    command += ["--server.address", "127.0.0.1", "--server.headless", "true"]
    with (folder / "console.log").open("w") as log:
        process = subprocess.Popen(command, env=environment | settings, stdout=log, stderr=log)
        try:
            wait_until_listening(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


@contextmanager
def provider(login: str) -> Iterator[Provider]:
    port = free_port()
    made = Provider(f"http://127.0.0.1:{port}", CLIENT_ID, login)
    server = uvicorn.Server(uvicorn.Config(made.app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until_listening(port)
        yield made
    finally:
        server.should_exit = True
        thread.join()


def log_in(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_label("User name").fill("admin")
    page.get_by_role("textbox", name="Password").fill(ADMIN)
    page.get_by_role("button", name="Log in", exact=True).click()
    shows(page, "Log out")


def shows(page: Page, text: str) -> None:
    expect(page.get_by_text(text).first).to_be_visible(timeout=TIMEOUT_MS)


def test_a_reload_and_a_second_tab_keep_the_session_and_a_logout_ends_it_in_both(
    context: BrowserContext, tmp_path: Path
) -> None:
    with console(tmp_path) as url:
        page = context.new_page()
        log_in(page, f"{url}/accounts")
        expect(page.get_by_text("Add an account")).to_be_visible(timeout=TIMEOUT_MS)
        wait_for_cookie(context, url)
        page.reload()
        shows(page, "Add an account")
        second = context.new_page()
        second.goto(url)
        shows(second, "Log out")
        second.get_by_role("button", name="Log out").click()
        shows(second, "User name")
        shows(page, "You were logged out")
        page.reload()
        shows(page, "User name")


def test_a_page_that_only_refreshes_itself_is_logged_out_and_one_in_use_is_not(
    context: BrowserContext, tmp_path: Path
) -> None:
    with console(tmp_path, CONSOLE_IDLE_MINUTES="0.3") as url:
        page = context.new_page()
        log_in(page, f"{url}/accounts")
        wait_for_cookie(context, url)
        for _ in range(25):  # longer than the idle time
            page.wait_for_timeout(1_000)
            page.mouse.wheel(0, 1)
        expect(page.get_by_text("Log out")).to_be_visible()
        shows(page, "You were logged out")


def test_a_user_of_the_provider_logs_in_to_the_account_of_the_same_name(
    context: BrowserContext, tmp_path: Path
) -> None:
    with provider("lead") as known, single_sign_on(tmp_path, known) as url:
        page = context.new_page()
        page.goto(url)
        page.get_by_role("button", name="Log in with single sign-on").click()
        shows(page, "lead (lead)")
        wait_for_cookie(context, url)
        page.reload()
        shows(page, "lead (lead)")
        page.get_by_role("button", name="Log out").click()
        shows(page, "User name")
        page.reload()  # the provider's answer is still in a cookie, and begins no second session
        shows(page, "User name")
        page.wait_for_timeout(2_000)
        shows(page, "User name")
        assert known.logins == 1


def test_a_user_of_the_provider_without_an_account_stays_outside(
    context: BrowserContext, tmp_path: Path
) -> None:
    with provider("stranger") as known, single_sign_on(tmp_path, known) as url:
        page = context.new_page()
        page.goto(url)
        page.get_by_role("button", name="Log in with single sign-on").click()
        shows(page, "no open account of that name")
        expect(page.get_by_text("Log out")).to_have_count(0)


@contextmanager
def single_sign_on(folder: Path, known: Provider) -> Iterator[str]:
    with console(
        folder,
        CONSOLE_OIDC_METADATA_URL=f"{known.url}/.well-known/openid-configuration",
        CONSOLE_OIDC_CLIENT_ID=CLIENT_ID,
        CONSOLE_OIDC_CLIENT_SECRET="shared-with-the-provider-77",
    ) as url:
        yield url


def wait_for_cookie(context: BrowserContext, url: str) -> None:
    page = context.pages[0]
    for _ in range(TIMEOUT_MS // 100):
        if any(cookie.get("name") == "fraudwatch_session" for cookie in context.cookies(url)):
            return
        page.wait_for_timeout(100)
    raise AssertionError("the session cookie was not set")
