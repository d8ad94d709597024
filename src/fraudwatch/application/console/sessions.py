"""Login sessions of the console: a random token in the browser, and its hash in the store.

A session ends when it is idle, after twelve hours in any case, at logout, when its account is
closed, and when the account's password changes. A page that is open and refreshes itself is idle:
only a user's own action extends the session.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from fraudwatch.application.console.account_rules import Account, AccountStore
from fraudwatch.domain.time_units import HOUR_MS, MINUTE_MS

LONGEST_SESSION_MS: Final = 12 * HOUR_MS
DEFAULT_IDLE_MS: Final = 30 * MINUTE_MS
_TOKEN_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginSession:
    """One login of one browser; the token itself is stored nowhere."""

    token_sha256: str
    login: str
    password_changes: int
    began_at_ms: int
    active_at_ms: int


class SessionStore(Protocol):
    """Store of login sessions. Every method raises AccountsUnavailable when it cannot answer."""

    def put_session(self, session: LoginSession) -> None:
        """Insert a session."""

    def update_session(self, session: LoginSession) -> None:
        """Replace a session; one that was removed meanwhile stays removed."""

    def find_session(self, token_sha256: str) -> LoginSession | None:
        """Return one session, or None."""

    def remove_session(self, token_sha256: str) -> None:
        """Remove a session, if it is there."""

    def remove_sessions_before(self, active_at_ms: int) -> None:
        """Remove all sessions that were last active before this time."""


class LoginStore(AccountStore, SessionStore, Protocol):
    """Store of accounts and of their sessions."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """Use cases of login sessions."""

    store: SessionStore
    now_ms: Callable[[], int]
    idle_ms: int

    def begin(self, account: Account) -> str:
        """Begin a session of an account that was just checked, and return its token."""
        token, now_ms = secrets.token_urlsafe(_TOKEN_BYTES), self.now_ms()
        self.store.remove_sessions_before(now_ms - LONGEST_SESSION_MS)
        self.store.put_session(
            LoginSession(
                token_sha256=_hash(token),
                login=account.login,
                password_changes=account.password_changes,
                began_at_ms=now_ms,
                active_at_ms=now_ms,
            )
        )
        return token

    def find(self, token: str) -> LoginSession | None:
        """Return the session of a token; None when it has ended, which also removes it."""
        session = self.store.find_session(_hash(token))
        if session is None:
            return None
        now_ms = self.now_ms()
        is_idle = now_ms - session.active_at_ms >= self.idle_ms
        if is_idle or now_ms - session.began_at_ms >= LONGEST_SESSION_MS:
            self.store.remove_session(session.token_sha256)
            return None
        return session

    def extend(self, token: str) -> bool:
        """Record that the user did something now; False when the session has ended."""
        session = self.find(token)
        if session is None:
            return False
        self.store.update_session(replace(session, active_at_ms=self.now_ms()))
        return True

    def renew(self, token: str, account: Account) -> None:
        """Continue a session whose user has just chosen another password."""
        if session := self.find(token):
            changes = account.password_changes
            self.store.update_session(replace(session, password_changes=changes))

    def end(self, token: str) -> None:
        """End a session."""
        self.store.remove_session(_hash(token))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
