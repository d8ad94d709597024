"""Accounts of the console: who may log in, as what, and everything that can be done with them.

Whoever changes an account is a :class:`Doer`: their witness is told before the deed, and what it
raises prevents the deed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from fraudwatch.application.console.access import Person, Role
from fraudwatch.application.console.account_rules import (
    LOGIN,
    Account,
    AccountRefused,
    AccountStore,
    PasswordHasher,
    expect_an_admin,
    new_password,
    weakness_of_choice,
    with_password,
)
from fraudwatch.domain.messages.audit import AuditAction


@dataclass(frozen=True, slots=True)
class Doer:
    """Who changes an account, and who is told of it before it is done."""

    login: str
    witness: Callable[[AuditAction, str], None]  # the deed, the account


@dataclass(frozen=True, slots=True)
class Accounts:
    """What can be done with accounts."""

    store: AccountStore
    hasher: PasswordHasher
    now_ms: Callable[[], int]

    def check(self, login: str, password: str) -> Account | None:
        """The account, if it is open and this is its password; every other answer takes as long."""
        account = self.store.find(login)
        known = account.password_hash if account else None
        if not self.hasher.matches(password, known) or account is None or not account.is_open:
            return None
        return self._rehashed(account, password)

    def standing(self, login: str, password_changes: int) -> Person | None:
        """Who somebody is by now that logged in when their password had changed so often.

        None when the account was closed or has another password since.
        """
        account = self.store.find(login)
        if account is None or not account.is_open or account.password_changes != password_changes:
            return None
        return Person(account.login, account.role)

    def everybody(self) -> list[Account]:
        """All accounts, by login."""
        return self.store.everybody()

    def seed(self, first_passwords: Mapping[Role, str]) -> None:
        """Make one account a role, named as the role, where there is no account at all."""
        by = "first-start"

        def change(known: Mapping[str, Account]) -> list[Account]:
            given = {} if known else first_passwords
            return [self._new(role.value, role, given[role], by) for role in given]

        if not self.store.everybody():
            self.store.write(change)

    def make(self, doer: Doer, login: str, role: Role) -> str:
        """Make an account; the password it begins with, which is shown once and kept nowhere.

        Raises:
            AccountRefused: the name is taken or not one.
        """
        if not re.fullmatch(LOGIN, login):
            raise AccountRefused(
                "A user name has 2 to 32 characters: a small letter first, then small letters, "
                "digits and . _ - alone. No account was made."
            )
        password = new_password()
        made = self._new(login, role, password, doer.login)

        def change(known: Mapping[str, Account]) -> list[Account]:
            if login in known:
                raise AccountRefused(f"There is an account {login} already. None was made.")
            doer.witness(AuditAction.ACCOUNT_MADE, login)
            return [made]

        self.store.write(change)
        return password

    def change_role(self, doer: Doer, login: str, role: Role) -> None:
        """Give an account another role.

        Raises:
            AccountRefused: there is no such account, or nobody would be admin any more.
        """
        self._change(
            doer, AuditAction.ROLE_CHANGED, login, lambda account: replace(account, role=role)
        )

    def reset_password(self, doer: Doer, login: str) -> str:
        """Give an account a new password, which is shown once; its sessions end.

        Raises:
            AccountRefused: there is no such account.
        """
        password = new_password()
        new_hash = self.hasher.hash(password)
        self._change(
            doer,
            AuditAction.PASSWORD_RESET,
            login,
            lambda account: with_password(account, new_hash),
        )
        return password

    def close(self, doer: Doer, login: str) -> None:
        """Let nobody log in by this account any more; its sessions end.

        Raises:
            AccountRefused: there is no such account, or no open admin would be left.
        """
        closed = AuditAction.ACCOUNT_CLOSED
        self._change(doer, closed, login, lambda account: replace(account, is_open=False))

    def reopen(self, doer: Doer, login: str) -> None:
        """Let an account that was closed log in again, with the password it had.

        Raises:
            AccountRefused: there is no such account.
        """
        opened = AuditAction.ACCOUNT_OPENED
        self._change(doer, opened, login, lambda account: replace(account, is_open=True))

    def choose_password(self, account: Account, password: str) -> Account:
        """Let somebody who was just checked take a password of their own; they stay logged in.

        Raises:
            AccountRefused: it is weak, or the account was changed by somebody meanwhile.
        """
        if reason := weakness_of_choice(password, account.login):
            raise AccountRefused(f"The new password {reason}. Your password is as it was.")
        chosen = with_password(account, self.hasher.hash(password))
        chosen = replace(chosen, changed_at_ms=self.now_ms(), changed_by=account.login)

        def change(known: Mapping[str, Account]) -> list[Account]:
            if known.get(account.login) != account:
                raise AccountRefused("Your account was changed meanwhile, so this changed nothing.")
            return [chosen]

        self.store.write(change)
        return chosen

    def _change(
        self, doer: Doer, deed: AuditAction, login: str, changed: Callable[[Account], Account]
    ) -> None:
        def change(known: Mapping[str, Account]) -> list[Account]:
            if login not in known:
                raise AccountRefused(f"There is no account {login}. Nothing was changed.")
            after = changed(known[login])
            expect_an_admin({**known, login: after}.values())
            doer.witness(deed, login)
            return [replace(after, changed_at_ms=self.now_ms(), changed_by=doer.login)]

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
        """The account with a hash as one makes it today, for which the password is needed."""
        if not self.hasher.is_outdated(account.password_hash):
            return account
        renewed = replace(account, password_hash=self.hasher.hash(password))
        self.store.write(lambda known: [renewed] if known.get(account.login) == account else [])
        return renewed
