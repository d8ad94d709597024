"""Console accounts: the record, its ports (store and hasher), and the rules of every change."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from fraudwatch.application.console.access import Role
from fraudwatch.domain.weak_secret import weakness_of

LOGIN: Final = r"[a-z][a-z0-9._-]{1,31}"
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 256
# Without characters that are confused when read aloud or copied by hand (i, l, o, 0, 1).
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP_LENGTH = 5, 4  # 99 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Login of a console user; only an open account may log in."""

    login: str
    role: Role
    password_hash: str = field(repr=False)
    is_open: bool = True
    password_changes: int = 0
    """Count of password changes: a session that began with another count has ended."""
    changed_at_ms: int
    changed_by: str


Change = Callable[[Mapping[str, Account]], Iterable[Account]]


class AccountStore(Protocol):
    """Store of accounts. Every method raises AccountsUnavailable when the store cannot answer."""

    def find(self, login: str) -> Account | None:
        """Return one account as it is now, or None."""

    def list_accounts(self) -> list[Account]:
        """List all accounts, sorted by login."""

    def write(self, change: Change) -> None:
        """Write what ``change`` returns for all accounts, under an exclusive lock.

        The change is durable when this returns. If ``change`` raises, nothing is written.
        """


class AccountsUnavailable(RuntimeError):
    """The accounts cannot be read or written now."""


class PasswordHasher(Protocol):
    """Password hashing."""

    def hash(self, password: str) -> str:
        """Return a salted hash that is expensive to compute."""

    def matches(self, password: str, password_hash: str | None) -> bool:
        """Return whether it is the password; None never matches and takes as long."""

    def is_outdated(self, password_hash: str) -> bool:
        """Return whether the hash uses other parameters than the current ones."""


class AccountRefused(ValueError):
    """The change breaks a rule of accounts, which the message names; nothing was changed."""


def weakness_of_choice(password: str, login: str) -> str | None:
    """Return why this password may not be chosen, or None."""
    if len(password) > LONGEST_PASSWORD:
        return f"is longer than {LONGEST_PASSWORD} characters"
    if login in password.lower():
        return "contains your user name"
    return weakness_of(password, shortest=SHORTEST_PASSWORD)


def new_password() -> str:
    """Generate a random password that can be typed by hand."""
    groups = ("".join(map(secrets.choice, [_ALPHABET] * _GROUP_LENGTH)) for _ in range(_GROUPS))
    return "-".join(groups)


def with_password(account: Account, password_hash: str) -> Account:
    """Return the account with another password; its sessions end."""
    changes = account.password_changes + 1
    return replace(account, password_hash=password_hash, password_changes=changes)


def expect_an_admin(accounts: Iterable[Account]) -> None:
    """Refuse a change that would leave no open admin account.

    Raises:
        AccountRefused: no admin account would be open.
    """
    if not any(account.is_open and account.role is Role.ADMIN for account in accounts):
        raise AccountRefused(
            "No open admin would be left to manage accounts. Nothing was changed; make another "
            "account admin first."
        )
