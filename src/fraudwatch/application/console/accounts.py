"""Console accounts: log in, create, change the role, reset the password, close and reopen.

An :class:`Actor` changes accounts: its ``record`` is called before each change, and an exception
from it prevents the change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from fraudwatch.application.console.access import Person, Right, Role
from fraudwatch.application.console.account_rules import (
    LOGIN,
    Account,
    AccountRefused,
    PasswordHasher,
    expect_an_admin,
    new_password,
    weakness_of_choice,
    with_password,
)
from fraudwatch.application.console.sessions import DEFAULT_IDLE_MS, LoginStore, Sessions
from fraudwatch.domain.messages.audit import AuditAction


@dataclass(frozen=True, slots=True)
class Actor:
    """Login that changes an account, and the callback that audits the change beforehand."""

    login: str
    record: Callable[[AuditAction, str], None]  # audit action, account


@dataclass(frozen=True, slots=True)
class Accounts:
    """Use cases of accounts."""

    store: LoginStore
    hasher: PasswordHasher
    now_ms: Callable[[], int]
    idle_ms: int = DEFAULT_IDLE_MS
    """A session ends when its user did nothing for this long."""

    @property
    def sessions(self) -> Sessions:
        """Sessions of these accounts."""
        return Sessions(self.store, self.now_ms, self.idle_ms)

    def check(self, login: str, password: str) -> Account | None:
        """Return the account if it is open and the password matches; refusals take as long."""
        account = self.store.find(login)
        known = account.password_hash if account else None
        if not self.hasher.matches(password, known) or account is None or not account.is_open:
            return None
        return self._rehashed(account, password)

    def open_account(self, login: str) -> Account | None:
        """Return the account if it is open, for a login that a provider has checked."""
        account = self.store.find(login)
        return account if account and account.is_open else None

    def validate_session(self, login: str, password_changes: int) -> Person | None:
        """Return the person of a session that began at this count of password changes.

        None when the account was closed, or its password changed since.
        """
        account = self.store.find(login)
        if account is None or not account.is_open or account.password_changes != password_changes:
            return None
        return Person(account.login, account.role)

    def list_accounts(self) -> list[Account]:
        """List all accounts, sorted by login."""
        return self.store.list_accounts()

    def deciders(self) -> list[str]:
        """List the logins of open accounts that decide cases, sorted."""
        return [
            account.login
            for account in self.list_accounts()
            if account.is_open and Person(account.login, account.role).may(Right.DECIDE)
        ]

    def seed(self, first_passwords: Mapping[Role, str]) -> None:
        """Create one account for each role, named like it, if no account exists yet."""
        by = "first-start"

        def change(known: Mapping[str, Account]) -> list[Account]:
            given = {} if known else first_passwords
            return [self._new(role.value, role, given[role], by) for role in given]

        if not self.store.list_accounts():
            self.store.write(change)

    def make(self, actor: Actor, login: str, role: Role) -> str:
        """Create an account and return its initial password, shown once and stored only as a hash.

        Raises:
            AccountRefused: the user name is invalid or exists already.
        """
        if not re.fullmatch(LOGIN, login):
            raise AccountRefused(
                "A user name has 2 to 32 characters: a lowercase letter first, then lowercase "
                "letters, digits and . _ - only. No account was created."
            )
        password = new_password()
        made = self._new(login, role, password, actor.login)

        def change(known: Mapping[str, Account]) -> list[Account]:
            if login in known:
                raise AccountRefused(
                    f"There is an account {login} already. No account was created."
                )
            actor.record(AuditAction.ACCOUNT_MADE, login)
            return [made]

        self.store.write(change)
        return password

    def change_role(self, actor: Actor, login: str, role: Role) -> None:
        """Give an account another role.

        Raises:
            AccountRefused: there is no such account, or no open admin would be left.
        """
        self._change(
            actor, AuditAction.ROLE_CHANGED, login, lambda account: replace(account, role=role)
        )

    def reset_password(self, actor: Actor, login: str) -> str:
        """Give an account a new password, which is shown once; its sessions end.

        Raises:
            AccountRefused: there is no such account.
        """
        password = new_password()
        new_hash = self.hasher.hash(password)
        self._change(
            actor,
            AuditAction.PASSWORD_RESET,
            login,
            lambda account: with_password(account, new_hash),
        )
        return password

    def close(self, actor: Actor, login: str) -> None:
        """Close an account: it cannot log in any more and its sessions end.

        Raises:
            AccountRefused: there is no such account, or no open admin would be left.
        """
        closed = AuditAction.ACCOUNT_CLOSED
        self._change(actor, closed, login, lambda account: replace(account, is_open=False))

    def reopen(self, actor: Actor, login: str) -> None:
        """Reopen a closed account, with the password it had.

        Raises:
            AccountRefused: there is no such account.
        """
        opened = AuditAction.ACCOUNT_OPENED
        self._change(actor, opened, login, lambda account: replace(account, is_open=True))

    def choose_password(self, account: Account, password: str) -> Account:
        """Change the password of a user who was just checked; they stay logged in.

        Raises:
            AccountRefused: it is weak, or the account was changed meanwhile.
        """
        if reason := weakness_of_choice(password, account.login):
            raise AccountRefused(f"The new password {reason}. Your password was not changed.")
        chosen = with_password(account, self.hasher.hash(password))
        chosen = replace(chosen, changed_at_ms=self.now_ms(), changed_by=account.login)

        def change(known: Mapping[str, Account]) -> list[Account]:
            if known.get(account.login) != account:
                raise AccountRefused("Your account was changed meanwhile, so nothing was changed.")
            return [chosen]

        self.store.write(change)
        return chosen

    def _change(
        self, actor: Actor, action: AuditAction, login: str, changed: Callable[[Account], Account]
    ) -> None:
        def change(known: Mapping[str, Account]) -> list[Account]:
            if login not in known:
                raise AccountRefused(f"There is no account {login}. Nothing was changed.")
            after = changed(known[login])
            expect_an_admin({**known, login: after}.values())
            actor.record(action, login)
            return [replace(after, changed_at_ms=self.now_ms(), changed_by=actor.login)]

        self.store.write(change)

    def _new(self, login: str, role: Role, password: str, by: str) -> Account:
        return Account(
            login=login,
            role=role,
            password_hash=self.hasher.hash(password),
            changed_at_ms=self.now_ms(),
            changed_by=by,
        )

    def _rehashed(self, account: Account, password: str) -> Account:
        """Rehash with the current parameters, for which the password is needed."""
        if not self.hasher.is_outdated(account.password_hash):
            return account
        renewed = replace(account, password_hash=self.hasher.hash(password))
        self.store.write(lambda known: [renewed] if known.get(account.login) == account else [])
        return renewed
