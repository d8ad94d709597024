"""Open Superset's dashboards in a real browser."""

from __future__ import annotations

import os
import re
from pathlib import Path

from playwright.sync_api import Page, Request, expect

from fraudwatch.stack.private_stack import PrivateStack
from tests.e2e.console_browser import SCREENSHOTS
from tests.e2e.superset_client import url_of

# A dashboard's charts wait for the Thrift Server one after another.
_DRAWN_MS = 240_000
_SETTLED_MS = 3_000
# The page's own Content-Security-Policy stopped it in the browser.
REFUSED_BY_POLICY = "csp"


class ReportReader:
    """One browser session of one login; it notes requests that leave for other hosts."""

    def __init__(self, page: Page, stack: PrivateStack) -> None:
        self.page, self._stack, self._url = page, stack, url_of(stack)
        self.elsewhere: list[str] = []
        page.on("response", lambda response: self._note(response.url))
        page.on("requestfailed", self._note_failed)

    def log_in(self, login: str) -> None:
        """Log in with the password of .env."""
        self.page.goto(f"{self._url}/login/")
        self.page.locator("input[type=text], #username").first.fill(login)
        password = self._stack.settings[f"SUPERSET_{login.upper()}_PASSWORD"]
        self.page.locator("input[type=password]").first.fill(password)
        self.page.locator("button[type=submit], input[type=submit]").first.click()
        self.page.wait_for_url(re.compile(r"/superset/welcome|/dashboard/list"))

    def open(self, slug: str, charts: int) -> None:
        """Open a dashboard and wait until all of its charts are drawn."""
        self.page.goto(f"{self._url}/superset/dashboard/{slug}/")
        holders = self.page.locator("[data-test=chart-container], .dashboard-chart")
        expect(holders.first).to_be_visible(timeout=_DRAWN_MS)
        drawn = self.page.locator(".slice_container")
        expect(drawn).to_have_count(charts, timeout=_DRAWN_MS)
        expect(self.page.locator("[data-test=loading-indicator]")).to_have_count(
            0, timeout=_DRAWN_MS
        )

    def errors(self) -> list[str]:
        """Return the texts of charts that failed or are empty."""
        found = self.page.locator("[role=alert], .ant-empty").all_inner_texts()
        return [text for text in found if text.strip()]

    def picture(self, name: str) -> None:
        """Save a screenshot if a folder for screenshots is set."""
        if folder := os.environ.get(SCREENSHOTS):
            self.page.wait_for_timeout(_SETTLED_MS)
            self.page.screenshot(path=Path(folder) / f"reports_{name}.png")

    def _note_failed(self, request: Request) -> None:
        if request.failure != REFUSED_BY_POLICY:
            self._note(request.url)

    def _note(self, url: str) -> None:
        if not url.startswith((self._url, "data:", "blob:")):
            self.elsewhere.append(url)
