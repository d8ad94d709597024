"""Memory twin of the account store; see :mod:`fraudwatch.application.console.account_rules`."""

from __future__ import annotations

import threading

from fraudwatch.application.console.account_rules import Account, AccountsUnavailable, Change


class MemoryAccountStore:
    """``AccountStore`` in a dictionary; tests can make it unavailable."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
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

    def _check_reachable(self) -> None:
        if not self.is_reachable:
            raise AccountsUnavailable("these memory accounts were made unavailable")
