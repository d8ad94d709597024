"""Access log: who logged in, viewed a case or exported a list, as audit records."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from fraudwatch.application.console.access import Person
from fraudwatch.domain.messages.audit import AUDIT_SCHEMA, AuditAction, AuditRecord
from fraudwatch.domain.messages.verdict import Verdict


class RecordKeeper(Protocol):
    """Keeps audit records durably."""

    def note(self, record: AuditRecord) -> None:
        """Keep a record; it is on disk when this returns.

        Raises:
            OSError: the record is not on disk, so the action must not be done.
        """


@dataclass(frozen=True, slots=True)
class AccessLog:
    """Records accesses; each is on disk before what it allows is shown."""

    keeper: RecordKeeper
    now_ms: Callable[[], int]

    def logged_in(self, person: Person, way: str) -> None:
        """Record a login, and the way: by password or by a provider."""
        self._note(AuditAction.LOGGED_IN, person.login, subject=way)

    def login_refused(self, account: str) -> None:
        """Record a refused login of an existing account; other names may be mistyped passwords."""
        self._note(AuditAction.LOGIN_REFUSED, account, account=account)

    def case_viewed(self, person: Person, verdict: Verdict) -> None:
        """Record that a person opened a case."""
        self._note(
            AuditAction.CASE_VIEWED,
            person.login,
            transaction_id=verdict.transaction_id,
            customer_token=verdict.customer_token,
        )

    def exported(self, person: Person, subject: str) -> None:
        """Record that a person downloads what ``subject`` names."""
        self._note(AuditAction.EXPORTED, person.login, subject=subject)

    def account_changed(self, action: AuditAction, login: str, account: str, reason: str) -> None:
        """Record a change of an account on the command line."""
        self._note(action, login, account=account, reason=reason)

    def subject_changed(self, action: AuditAction, login: str, subject: str, reason: str) -> None:
        """Record a change on the command line of what ``subject`` names."""
        self._note(action, login, subject=subject, reason=reason)

    def _note(self, action: AuditAction, login: str, *, reason: str = "", **target: Any) -> None:
        self.keeper.note(
            AuditRecord(
                schema=AUDIT_SCHEMA,
                record_id=secrets.token_hex(16),
                at_ms=self.now_ms(),
                deed=action,
                by=login,
                reason=reason,
                **target,
            )
        )
