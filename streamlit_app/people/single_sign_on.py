"""Single sign-on: a user of an OpenID Connect provider logs in to the account of the same name.

The provider says who someone is; an admin's account says what they may do, and whether they may log
in at all. Streamlit keeps the provider's answer in a cookie for 30 days. It begins one session
only, and only while it is fresh: afterwards the session's own rules hold, idle time among them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import streamlit as st

# A provider's clock may differ from ours, and its page may be slow.
FRESH_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Identity:
    """A login name as the provider gives it, and the answer that gave it."""

    login: str
    answer: tuple[str, ...]
    issued_at_seconds: float


def identity_of(claims: Mapping[str, Any], login_claim: str) -> Identity | None:
    """Return the identity in a provider's claims; None when the claim for the login is missing."""
    login, issued_at = claims.get(login_claim), claims.get("iat")
    if not isinstance(login, str) or not login or not isinstance(issued_at, int | float):
        return None
    answer = tuple(str(claims.get(name)) for name in ("iss", "sub", "iat", "nonce"))
    return Identity(login.lower(), answer, float(issued_at))


@dataclass(slots=True)
class FreshIdentities:
    """Accepts each answer of the provider once, while it is fresh."""

    clock_seconds: Callable[[], float] = time.time
    _used: dict[tuple[str, ...], float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, identity: Identity) -> bool:
        """Return whether this answer may begin a session; it never may again."""
        now = self.clock_seconds()
        if not -FRESH_SECONDS <= now - identity.issued_at_seconds <= FRESH_SECONDS:
            return False
        with self._lock:
            self._used = {one: until for one, until in self._used.items() if until > now}
            is_new = identity.answer not in self._used
            self._used[identity.answer] = identity.issued_at_seconds + 2 * FRESH_SECONDS
        return is_new


@dataclass(frozen=True, slots=True)
class SingleSignOn:
    """The configured provider: the claim with the login, and the answers used so far."""

    login_claim: str
    fresh: FreshIdentities = field(default_factory=FreshIdentities)

    def new_identity(self) -> Identity | None:
        """Return who the provider has just identified in this browser; None afterwards."""
        if not st.user.is_logged_in:
            return None
        identity = identity_of(st.user.to_dict(), self.login_claim)
        return identity if identity and self.fresh.accept(identity) else None


@dataclass(slots=True)
class Offer:
    """Single sign-on as this process offers it: set once, by the server."""

    single_sign_on: SingleSignOn | None = None


offer = Offer()
