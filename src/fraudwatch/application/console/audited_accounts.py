"""Audited account changes at the console: they require the right and are logged first."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.account_rules import AccountRefused
from fraudwatch.application.console.accounts import Actor
from fraudwatch.application.console.audit import AuditLog
from fraudwatch.domain.messages.audit import AUDIT_SCHEMA, SHORTEST_REASON, AuditAction, AuditRecord
from fraudwatch.domain.messages.fields import problems


def audited_actor(
    person: Person, reason: str, audit_log: Callable[[], AuditLog], now_ms: Callable[[], int]
) -> Actor:
    """Return the actor who changes accounts, writing an audit record before each change.

    The log is opened when the first record is written.

    Raises:
        Forbidden: the person's role does not manage accounts.
        AccountRefused: the reason is too short or too long.
    """
    person.require(Right.ACCOUNTS)
    if len(reason.strip()) < SHORTEST_REASON:
        raise AccountRefused(
            f"Give a reason of at least {SHORTEST_REASON} characters. Nothing was changed."
        )

    def write_record(deed: AuditAction, account: str) -> None:
        record = AuditRecord(
            schema=AUDIT_SCHEMA,
            record_id=secrets.token_hex(16),
            at_ms=now_ms(),
            deed=deed,
            by=person.login,
            reason=reason.strip(),
            account=account,
        )
        if broken := problems(record):
            faults = "; ".join(f"{one.field} {one.reason}" for one in broken)
            raise AccountRefused(f"The audit record is invalid: {faults}. Nothing was changed.")
        audit_log().write(record)

    return Actor(person.login, write_record)
