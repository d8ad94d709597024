"""API keys: make, list and revoke them, each change with an audit record first."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from fraudwatch.application.console.audit import AuditLog
from fraudwatch.domain.api_keys import (
    ENV_KEY_ID,
    SECRET_BYTES,
    ApiKey,
    Scope,
    digest_of,
    presented_form,
    split_presented,
)
from fraudwatch.domain.messages.audit import AUDIT_SCHEMA, SHORTEST_REASON, AuditAction, AuditRecord
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.label import LABELLER
from fraudwatch.domain.messages.purchase import LONGEST_SOURCE, SOURCE_NAME
from fraudwatch.domain.time_units import DAY_MS

_KEY_ID_BYTES: Final = 4
_LONGEST_CLIENT: Final = 64


class KeyChangeRefused(Exception):
    """A change of keys breaks a rule; nothing was changed."""


class KeyStore(Protocol):
    """Store of API keys."""

    def list_keys(self) -> list[ApiKey]:
        """Return all keys, the oldest first."""

    def change(self, change: Callable[[Mapping[str, ApiKey]], ApiKey | None]) -> None:
        """Add or replace the key that ``change`` returns, given all keys by id."""


RecordChange = Callable[[AuditAction, str], None]
"""Writes the audit record of an action on a subject; an exception prevents the change."""


def audited(by: str, reason: str, audit_log: AuditLog, now_ms: Callable[[], int]) -> RecordChange:
    """Return the writer of audit records for one actor.

    Raises:
        KeyChangeRefused: the reason is too short.
    """
    if len(reason.strip()) < SHORTEST_REASON:
        raise KeyChangeRefused(
            f"give a reason of at least {SHORTEST_REASON} characters; nothing was changed"
        )

    def write(action: AuditAction, subject: str) -> None:
        record = AuditRecord(
            schema=AUDIT_SCHEMA,
            record_id=secrets.token_hex(16),
            at_ms=now_ms(),
            deed=action,
            by=by,
            reason=reason.strip(),
            subject=subject,
        )
        try:
            audit_log.write(record)
        except Refused as error:
            raise KeyChangeRefused(
                f"the audit record is invalid: {error.reason}; nothing was changed"
            ) from error

    return write


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRequest:
    """Wanted properties of a new key."""

    client: str
    scopes: Sequence[Scope]
    sources: Sequence[str] = ()
    requests_per_second: float | None = None
    expires_days: int | None = None
    is_sandbox: bool = False

    def check(self) -> None:
        """Check the request.

        Raises:
            KeyChangeRefused: a property breaks its bounds.
        """
        faults = []
        if len(self.client) > _LONGEST_CLIENT or not re.fullmatch(LABELLER, self.client):
            faults.append(f"the client's name needs 1 to {_LONGEST_CLIENT} of A-Z a-z 0-9 . _ @ -")
        if not self.scopes:
            faults.append(f"a key needs at least one scope of {', '.join(Scope)}")
        if self.is_sandbox and set(self.scopes) - {Scope.INGEST}:
            faults.append(
                f"a sandbox key has the scope {Scope.INGEST} alone: nothing of its purchases is "
                "stored that could be read or labelled"
            )
        if any(len(s) > LONGEST_SOURCE or not re.fullmatch(SOURCE_NAME, s) for s in self.sources):
            faults.append(f"a source has 1 to {LONGEST_SOURCE} of a-z 0-9 _ -")
        if self.requests_per_second is not None and not self.requests_per_second > 0:
            faults.append("the rate must be above 0")
        if self.expires_days is not None and self.expires_days < 1:
            faults.append("a key is valid for at least 1 day")
        if faults:
            raise KeyChangeRefused(f"{'; '.join(faults)}. No key was made.")


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """Use cases of API keys."""

    store: KeyStore
    record: RecordChange
    now_ms: Callable[[], int]

    def make(self, request: KeyRequest) -> tuple[ApiKey, str]:
        """Create a key; return it with the text to present, which is stored nowhere.

        Raises:
            KeyChangeRefused: the request breaks a rule.
        """
        request.check()
        secret, now_ms = secrets.token_urlsafe(SECRET_BYTES), self.now_ms()
        lifetime_days = request.expires_days
        key = ApiKey(
            key_id=secrets.token_hex(_KEY_ID_BYTES),
            client=request.client,
            scopes=tuple(sorted(set(request.scopes))),
            sources=tuple(sorted(set(request.sources))),
            requests_per_second=request.requests_per_second,
            created_at_ms=now_ms,
            expires_at_ms=None if lifetime_days is None else now_ms + lifetime_days * DAY_MS,
            revoked_at_ms=None,
            secret_sha256=digest_of(secret),
            is_sandbox=request.is_sandbox,
        )
        self.record(AuditAction.KEY_MADE, _subject(key))
        self.store.change(lambda _: key)
        return key, presented_form(key.key_id, secret)

    def revoke(self, key_id: str) -> ApiKey:
        """Revoke a key for good.

        Raises:
            KeyChangeRefused: there is no such key, or it is revoked already.
        """
        known = {key.key_id: key for key in self.store.list_keys()}
        if (key := known.get(key_id)) is None:
            raise KeyChangeRefused(
                f"there is no key {key_id}, so nothing was revoked; ./fraudwatch keys list shows "
                "their ids"
            )
        if key.revoked_at_ms is not None:
            raise KeyChangeRefused(f"the key {key_id} is revoked already; nothing was changed")
        self.record(AuditAction.KEY_REVOKED, _subject(key))
        revoked_at_ms = self.now_ms()
        self.store.change(lambda keys: replace(keys[key_id], revoked_at_ms=revoked_at_ms))
        return replace(key, revoked_at_ms=revoked_at_ms)


def register_env_key(store: KeyStore, presented: str, now_ms: int) -> None:
    """Register the key of .env once, as client ``env`` with all scopes and sources.

    A changed line replaces the registered secret. A revoked key stays revoked, whatever .env has.
    A key of ``./fraudwatch keys make`` in .env is registered already, under its own id.
    """
    key_id, secret = split_presented(presented)
    if key_id != ENV_KEY_ID or secret != presented:
        return
    digest = digest_of(secret)

    def registered(keys: Mapping[str, ApiKey]) -> ApiKey | None:
        known = keys.get(ENV_KEY_ID)
        if known is None:
            return ApiKey(
                key_id=ENV_KEY_ID,
                client=ENV_KEY_ID,
                scopes=tuple(sorted(Scope)),
                sources=(),
                requests_per_second=None,
                created_at_ms=now_ms,
                expires_at_ms=None,
                revoked_at_ms=None,
                secret_sha256=digest,
            )
        if known.revoked_at_ms is not None or known.secret_sha256 == digest:
            return None
        return replace(known, secret_sha256=digest)

    store.change(registered)


def _subject(key: ApiKey) -> str:
    """Describe a key in an audit record, within the length of its field."""
    sources = f"{len(key.sources)} sources" if key.sources else "all sources"
    kind = "Sandbox" if key.is_sandbox else "API"
    return f"{kind} key {key.key_id} of {key.client}: {', '.join(key.scopes)}; {sources}"
