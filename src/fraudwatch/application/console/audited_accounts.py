"""Changing accounts at the console: nobody does it without the right, or unseen."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.account_rules import AccountRefused
from fraudwatch.application.console.accounts import Doer
from fraudwatch.application.console.audit import AuditLog
from fraudwatch.domain.messages.audit import AUDIT_SCHEMA, SHORTEST_REASON, AuditAction, AuditRecord
from fraudwatch.domain.messages.fields import problems


def witnessed(
    person: Person, reason: str, audit_log: Callable[[], AuditLog], now_ms: Callable[[], int]
) -> Doer:
    """This person as somebody who changes accounts, for this reason.

    The log is opened when the first deed is to be written down.

    Raises:
        Forbidden: the person's role does not manage accounts.
        AccountRefused: the reason says too little or too much.
    """
    person.require(Right.ACCOUNTS)
    if len(reason.strip()) < SHORTEST_REASON:
        raise AccountRefused(
            f"Say why, in at least {SHORTEST_REASON} characters. Nothing was changed."
        )

    def witness(deed: AuditAction, account: str) -> None:
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
            told = "; ".join(f"{one.field} {one.reason}" for one in broken)
            raise AccountRefused(f"It cannot be written down: {told}. Nothing was changed.")
        audit_log().write(record)

    return Doer(person.login, witness)
