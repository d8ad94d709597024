"""Memory twin of the store of accounts and sessions."""

from __future__ import annotations

import threading

from fraudwatch.application.console.account_rules import Account, AccountsUnavailable, Change
from fraudwatch.application.console.sessions import LoginSession


class MemoryAccountStore:
    """``LoginStore`` in dictionaries; tests can make it unavailable."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._sessions: dict[str, LoginSession] = {}
        self._writing = threading.Lock()
        self.is_reachable = True

    def find(self, login: str) -> Account | None:
        self._check_reachable()
        return self._accounts.get(login)

    def list_accounts(self) -> list[Account]:
        self._check_reachable()
        return [self._accounts[login] for login in sorted(self._accounts)]

    def write(self, change: Change) -> None:
        self._check_reachable()
        with self._writing:
            changed = {account.login: account for account in change(dict(self._accounts))}
            self._accounts |= changed

    def put_session(self, session: LoginSession) -> None:
        self._check_reachable()
        self._sessions[session.token_sha256] = session

    def update_session(self, session: LoginSession) -> None:
        self._check_reachable()
        with self._writing:
            if session.token_sha256 in self._sessions:
                self._sessions[session.token_sha256] = session

    def find_session(self, token_sha256: str) -> LoginSession | None:
        self._check_reachable()
        return self._sessions.get(token_sha256)

    def remove_session(self, token_sha256: str) -> None:
        self._check_reachable()
        self._sessions.pop(token_sha256, None)

    def remove_sessions_before(self, active_at_ms: int) -> None:
        self._check_reachable()
        kept = {k: s for k, s in self._sessions.items() if s.active_at_ms >= active_at_ms}
        self._sessions = kept

    def _check_reachable(self) -> None:
        if not self.is_reachable:
            raise AccountsUnavailable("these memory accounts were made unavailable")
