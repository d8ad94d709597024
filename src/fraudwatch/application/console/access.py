"""Who may do what at the console: three roles, each with the rights its work needs and no more."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


class Role(enum.StrEnum):
    """What somebody is at the console."""

    ANALYST = "analyst"
    LEAD = "lead"
    ADMIN = "admin"


class Right(enum.StrEnum):
    """One thing that not everybody may do."""

    SEE = "see"  # alerts, cases, patterns: all of it behind tokens
    DECIDE = "decide"  # claim a case and say what it was
    REVEAL = "reveal"  # look behind a token, which is written down
    AUDIT = "audit"  # read who looked behind what, and who changed which account
    ACCOUNTS = "accounts"  # make, change and close accounts


# Whoever gives rights does not use them: an admin neither decides nor looks behind tokens.
RIGHTS: Final[Mapping[Role, frozenset[Right]]] = {
    Role.ANALYST: frozenset({Right.SEE, Right.DECIDE}),
    Role.LEAD: frozenset({Right.SEE, Right.DECIDE, Right.REVEAL, Right.AUDIT}),
    Role.ADMIN: frozenset({Right.SEE, Right.ACCOUNTS, Right.AUDIT}),
}


class Forbidden(PermissionError):
    """Somebody asked for what their role does not give."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has logged in."""

    login: str
    role: Role

    def may(self, right: Right) -> bool:
        """Whether their role gives this right."""
        return right in RIGHTS[self.role]

    def require(self, right: Right) -> None:
        """Go on only with this right; every query asks, not only the page that offers it.

        Raises:
            Forbidden: naming the role and the right.
        """
        if not self.may(right):
            raise Forbidden(
                f"{self.login} is {self.role} and may not {right}: nothing was read or changed; "
                "ask somebody whose role allows it"
            )
