"""Session cookie, which the page's own script cannot read.

A page has no response headers of its own, so it draws a script that posts a one-time ticket to a
route beside the pages (:mod:`streamlit_app.people.session_routes`), and that response sets the
cookie. The same script reports that the user did something; a page that refreshes itself does not.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import streamlit as st

COOKIE: Final = "fraudwatch_session"
BEGIN, ACTIVE = "/session/begin", "/session/active"
_TICKET = "session_ticket"
_TICKET_SECONDS: Final = 60.0
_TICKET_BYTES: Final = 16
_LONGEST_INTERVAL_MS: Final = 30_000
_SCRIPT: Final = """<script>
(() => {
  const ticket = %(ticket)s;
  if (ticket) fetch("%(begin)s", {method: "POST", body: ticket});
  if (window.fraudwatchReportsActivity) return;
  window.fraudwatchReportsActivity = true;
  let reportedAt = Date.now();
  const report = () => {
    if (Date.now() - reportedAt < %(interval_ms)d) return;
    reportedAt = Date.now();
    fetch("%(active)s", {method: "POST"});
  };
  for (const kind of ["pointerdown", "keydown", "wheel"])
    document.addEventListener(kind, report, {capture: true, passive: true});
})();
</script>"""


@dataclass(slots=True)
class Tickets:
    """One-time tickets that stand for session tokens, between a page and its route."""

    clock_seconds: Callable[[], float] = time.monotonic
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def issue(self, token: str) -> str:
        """Return a new ticket for this token; old ones are dropped."""
        ticket, now = secrets.token_urlsafe(_TICKET_BYTES), self.clock_seconds()
        with self._lock:
            self._tokens = {one: kept for one, kept in self._tokens.items() if kept[1] > now}
            self._tokens[ticket] = (token, now + _TICKET_SECONDS)
        return ticket

    def is_open(self, ticket: str) -> bool:
        """Return whether this ticket can still be redeemed."""
        with self._lock:
            return ticket in self._tokens and self._tokens[ticket][1] > self.clock_seconds()

    def redeem(self, ticket: str) -> str | None:
        """Return the token of a ticket, once; None when it is unknown, used or too old."""
        with self._lock:
            token, until = self._tokens.pop(ticket, (None, 0.0))
        return token if until > self.clock_seconds() else None


# Shared by the pages' threads and the routes: both are in this process.
tickets = Tickets()


def token() -> str | None:
    """Return the token in the browser's cookie, as it was when this page was opened."""
    cookie: object = st.context.cookies.get(COOKIE)
    return cookie if isinstance(cookie, str) else None  # without a browser there are no cookies


def set_soon(session_token: str) -> None:
    """Have the next drawn page set the cookie."""
    st.session_state[_TICKET] = tickets.issue(session_token)


def draw(idle_ms: int) -> None:
    """Draw the script; a run that is interrupted draws it again, until the cookie is set.

    It reports activity a few times in ``idle_ms``, after which a session ends.
    """
    ticket: str | None = st.session_state.get(_TICKET)
    values = {
        "ticket": json.dumps(ticket if ticket and tickets.is_open(ticket) else None),
        "begin": BEGIN,
        "active": ACTIVE,
        "interval_ms": min(idle_ms // 4, _LONGEST_INTERVAL_MS),
    }
    st.html(_SCRIPT % values, unsafe_allow_javascript=True)
