"""Define API keys: who calls, with which scopes, for which sources, how often and until when.

A key is presented as ``fwk_<key id>_<secret>``. Only the secret's SHA-256 is stored: at 256 random
bits guessing is hopeless, so that a slow hash, as for passwords, would cost time and add nothing.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "fwk"
# The key of .env: it may have any form and then has no id in it.
ENV_KEY_ID: Final = "env"
SECRET_BYTES: Final = 32
_PRESENTED = re.compile(
    rf"{PREFIX}_(?P<key_id>[a-z0-9]{{1,16}})_(?P<secret>[A-Za-z0-9_-]{{1,128}})"
)


class Scope(enum.StrEnum):
    """Scope of a key: what its client may do."""

    READ = "read"  # verdicts, alerts
    LABEL = "label"  # report what purchases turned out to be
    INGEST = "ingest"  # submit purchases


class KeyState(enum.StrEnum):
    """Whether a key is in effect."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


class KeyRefused(Exception):
    """The presented key is not accepted; a caller learns no more than that."""


class UnknownKey(KeyRefused):
    """No key has this id and secret."""


class ExpiredKey(KeyRefused):
    """The key's time is over."""


class RevokedKey(KeyRefused):
    """The key was revoked."""


class KeyForbids(Exception):
    """The key is valid, but not for this."""


class MissingScope(KeyForbids):
    """The key lacks a scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        super().__init__(f"this key lacks the scope '{scope}', so nothing was done")


class OtherSource(KeyForbids):
    """The key is limited to other sources."""

    def __init__(self, sources: Iterable[str]) -> None:
        # The other source is not quoted: it is the caller's text, in which anything may be.
        super().__init__(
            f"this key is limited to the source {', '.join(sources)}, and the request is about "
            "another one, so nothing was done"
        )


class SandboxForbids(KeyForbids):
    """The key is a sandbox key, and this is about stored purchases."""

    def __init__(self) -> None:
        super().__init__(
            "this is a sandbox key: its purchases are judged and never stored, so that there is "
            "nothing to read or to label; use a key that is none. Nothing was done"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """One key of one client; without ``sources`` it is valid for all of them.

    Purchases of a sandbox key are judged, and never stored among the real ones.
    """

    key_id: str
    client: str
    scopes: tuple[Scope, ...]
    sources: tuple[str, ...]
    requests_per_second: float | None  # None: unlimited
    created_at_ms: int
    expires_at_ms: int | None
    revoked_at_ms: int | None
    secret_sha256: str
    is_sandbox: bool = False

    def state(self, now_ms: int) -> KeyState:
        """Return whether the key is in effect."""
        if self.revoked_at_ms is not None:
            return KeyState.REVOKED
        is_over = self.expires_at_ms is not None and now_ms >= self.expires_at_ms
        return KeyState.EXPIRED if is_over else KeyState.VALID

    def require_scope(self, scope: Scope) -> None:
        """Require a scope.

        Raises:
            SandboxForbids: it is a sandbox key, and the scope is not to ingest.
            MissingScope: the key lacks it.
        """
        if self.is_sandbox and scope is not Scope.INGEST:
            raise SandboxForbids
        if scope not in self.scopes:
            raise MissingScope(scope)

    def require_sources(self, sources: Iterable[str]) -> None:
        """Require that the key is valid for each of these sources.

        Raises:
            OtherSource: it is not valid for one of them.
        """
        if self.sources and not set(self.sources).issuperset(sources):
            raise OtherSource(self.sources)

    def accept(self, secret: str, now_ms: int) -> None:
        """Check a presented secret, in constant time, and whether the key is in effect.

        Raises:
            KeyRefused: it is another secret, or the key is revoked or expired.
        """
        if not hmac.compare_digest(digest_of(secret), self.secret_sha256):
            raise UnknownKey
        match self.state(now_ms):
            case KeyState.REVOKED:
                raise RevokedKey
            case KeyState.EXPIRED:
                raise ExpiredKey


def digest_of(secret: str) -> str:
    """Return the hash of a secret as it is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def presented_form(key_id: str, secret: str) -> str:
    """Return the text that a client sends as its bearer token."""
    return f"{PREFIX}_{key_id}_{secret}"


def split_presented(presented: str) -> tuple[str, str]:
    """Split a presented key into key id and secret; a text of another form is the key of .env."""
    if found := _PRESENTED.fullmatch(presented):
        return found["key_id"], found["secret"]
    return ENV_KEY_ID, presented
