"""Drive the console in a real browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from fraudwatch.stack.private_stack import PrivateStack

CHROMIUM = "/usr/bin/chromium"
WIDE, PHONE = {"width": 1400, "height": 900}, {"width": 390, "height": 844}
# A busy machine renders slowly; tests of speed have limits of their own.
# A busy machine draws a page in tens of seconds; only a page that never comes takes this long.
TIMEOUT_MS = 120_000
# Environment variable with the folder for screenshots; without it none are made.
SCREENSHOTS = "FRAUDWATCH_SCREENSHOTS"


class Visitor:
    """One browser session of one account."""

    def __init__(self, page: Page, stack: PrivateStack) -> None:
        self.page, self._stack = page, stack
        page.set_default_timeout(TIMEOUT_MS)
        self._url = f"http://127.0.0.1:{stack.port('console', 'http')}"

    def fill_in(self, login: str, address: str = "/", password: str | None = None) -> None:
        """Open this address and fill in the login form, with the first password unless given."""
        self.page.goto(self._url + address)
        self.page.get_by_label("User name").fill(login)
        field = self.page.get_by_role("textbox", name="Password")
        field.fill(password or self._stack.settings[f"CONSOLE_{login.upper()}_PASSWORD"])

    def log_in(self, login: str, address: str = "/") -> None:
        """Open this address and log in with the first password."""
        self.fill_in(login, address)
        self.press("Log in")
        self.shows("Log out")

    def log_in_with(self, login: str, password: str, address: str) -> None:
        """Open this address and log in with a password of its own."""
        self.fill_in(login, address, password)
        self.press("Log in")
        self.shows("Log out")

    def visit(self, address: str) -> None:
        """Open this address in the session, which a reload keeps."""
        self.page.goto(self._url + address)
        self.shows("Log out")

    def open(self, screen: str) -> None:
        """Go to a screen by the menu."""
        self.page.get_by_role("link", name=screen, exact=True).click()

    def press(self, button: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=button).first.click()

    def choose(self, field: str, option: str) -> None:
        """Choose an option of a select box."""
        self.page.get_by_role("combobox", name=field).click()
        self.page.get_by_role("option", name=option, exact=True).click()

    def shows(self, text: str) -> None:
        """Wait until this text is visible."""
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=TIMEOUT_MS)

    def hides(self, text: str) -> None:
        """Wait until this text is not on the page."""
        expect(self.page.get_by_text(text)).to_have_count(0, timeout=TIMEOUT_MS)

    def lists(self, text: str) -> None:
        """Wait until a table cell has this text; tables are a canvas with hidden text cells."""
        cell = self.page.locator("canvas [role=gridcell]", has_text=text)
        cell.first.wait_for(state="attached", timeout=TIMEOUT_MS)

    def click_first_line(self) -> None:
        """Click on the first row of the first table, on its sentence."""
        table = self.page.locator("[data-testid=stDataFrame]").first
        # The table ignores a click without a mouse movement before it.
        table.hover(position={"x": 280, "y": 58})
        table.hover(position={"x": 300, "y": 60})
        table.click(position={"x": 300, "y": 60})

    def picture(self, name: str) -> None:
        """Save a screenshot if a folder for screenshots is set."""
        if folder := os.environ.get(SCREENSHOTS):
            self.page.wait_for_timeout(3_000)  # charts render after their data
            self.page.screenshot(path=Path(folder) / f"{name}.png")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser for any number of visitors."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            browser.close()
