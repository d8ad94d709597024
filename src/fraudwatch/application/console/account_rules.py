"""What an account is, what accounts ask of engines, and the rules that every change keeps."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from fraudwatch.application.console.access import Role
from fraudwatch.domain.weak_secret import weakness_of

LOGIN: Final = r"[a-z][a-z0-9._-]{1,31}"
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 256
# Nothing that is taken for something else when it is read aloud or copied by hand.
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP_LENGTH = 5, 4  # 99 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who may log in, if the account is open."""

    login: str
    role: Role
    password_hash: str = field(repr=False)
    is_open: bool = True
    password_changes: int = 0
    """How often the password was changed: a session that began with another one has ended."""
    changed_at_ms: int
    changed_by: str


Change = Callable[[Mapping[str, Account]], Iterable[Account]]


class AccountStore(Protocol):
    """Where accounts are kept. Every method raises AccountsUnavailable when it cannot answer."""

    def find(self, login: str) -> Account | None:
        """One account, as it is now."""

    def everybody(self) -> list[Account]:
        """All accounts, by login."""

    def write(self, change: Change) -> None:
        """Keep what ``change`` makes of all accounts, while nobody else can write.

        It is durable when this returns. What ``change`` raises leaves everything as it was.
        """


class AccountsUnavailable(RuntimeError):
    """The accounts cannot be read or written now."""


class PasswordHasher(Protocol):
    """Makes of a password what may be kept of it."""

    def hash(self, password: str) -> str:
        """A salted hash that is dear to compute."""

    def matches(self, password: str, password_hash: str | None) -> bool:
        """Whether it is the password; None never matches and costs as much time."""

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it was made in another way than one would today."""


class AccountRefused(ValueError):
    """What was asked breaks a rule of accounts, and nothing was changed; says which."""


def weakness_of_choice(password: str, login: str) -> str | None:
    """Why somebody may not choose this password, or None."""
    if len(password) > LONGEST_PASSWORD:
        return f"is longer than {LONGEST_PASSWORD} characters"
    if login in password.lower():
        return "holds your user name"
    return weakness_of(password, shortest=SHORTEST_PASSWORD)


def new_password() -> str:
    """A random password that can be typed by hand."""
    groups = ("".join(map(secrets.choice, [_ALPHABET] * _GROUP_LENGTH)) for _ in range(_GROUPS))
    return "-".join(groups)


def with_password(account: Account, password_hash: str) -> Account:
    """The account with another password; its sessions end."""
    changes = account.password_changes + 1
    return replace(account, password_hash=password_hash, password_changes=changes)


def expect_an_admin(accounts: Iterable[Account]) -> None:
    """Refuse what would leave nobody who may manage accounts.

    Raises:
        AccountRefused: nobody is an admin whose account is open.
    """
    if not any(account.is_open and account.role is Role.ADMIN for account in accounts):
        raise AccountRefused(
            "No open admin would be left to manage accounts. Nothing was changed; make another "
            "account admin first."
        )
