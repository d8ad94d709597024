"""Roles and rights of the console: three roles, each with the rights its work needs and no more."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


class Role(enum.StrEnum):
    """Role of a console user."""

    ANALYST = "analyst"
    LEAD = "lead"
    ADMIN = "admin"


class Right(enum.StrEnum):
    """Permission that only some roles have."""

    SEE = "see"  # view alerts, cases, patterns: tokens only
    DECIDE = "decide"  # claim a case and label it
    ASSIGN = "assign"  # assign a case to another person, or take it from one; audited
    REVEAL = "reveal"  # open sealed fields; each reveal is audited
    COMPARE = "compare"  # compare a candidate policy or model with the live one
    EXPORT = "export"  # download a list; audited
    AUDIT = "audit"  # read the audit log of reveals and account changes
    ACCOUNTS = "accounts"  # create, change and close accounts
    POLICY = "policy"  # draft, promote and roll back the policy and its lists
    MODEL = "model"  # approve a challenger, roll back the champion; audited
    OPERATE = "operate"  # services, lag, dead letters, DAG runs; revoke API keys, audited


# Separation of duties: an admin, who grants rights, neither decides cases nor reveals.
RIGHTS: Final[Mapping[Role, frozenset[Right]]] = {
    Role.ANALYST: frozenset({Right.SEE, Right.DECIDE}),
    Role.LEAD: frozenset(
        {
            Right.SEE,
            Right.DECIDE,
            Right.ASSIGN,
            Right.REVEAL,
            Right.COMPARE,
            Right.EXPORT,
            Right.AUDIT,
            Right.POLICY,
            Right.MODEL,
        }
    ),
    Role.ADMIN: frozenset({Right.SEE, Right.ACCOUNTS, Right.AUDIT, Right.OPERATE}),
}


class Forbidden(PermissionError):
    """The role lacks the right that the action requires."""


@dataclass(frozen=True, slots=True)
class Person:
    """Logged-in console user."""

    login: str
    role: Role

    def may(self, right: Right) -> bool:
        """Return whether the role has this right."""
        return right in RIGHTS[self.role]

    def require(self, right: Right) -> None:
        """Require this right; every query checks it, not only the page that offers it.

        Raises:
            Forbidden: the role lacks the right; the message names both.
        """
        if not self.may(right):
            raise Forbidden(
                f"{self.login} is {self.role} and may not {right}: nothing was read or changed; "
                "ask a user whose role allows it"
            )
