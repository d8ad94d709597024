"""Handling of open cases: assign one to an analyst, snooze it until a time with a reason."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.audit import AuditLog
from fraudwatch.application.console.casework import Claims
from fraudwatch.domain.messages.audit import (
    AUDIT_SCHEMA,
    LONGEST_REASON,
    SHORTEST_REASON,
    AuditAction,
    AuditRecord,
)
from fraudwatch.domain.time_units import DAY_MS

LONGEST_SNOOZE_DAYS: Final = 30
# An unsure decision leaves the case open; the analyst's note is the reason to look again.
UNSURE_SNOOZE_DAYS: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """To whom an open case is assigned, and until when it is snoozed; empty: neither."""

    assigned_to: str | None = None
    assigned_by: str | None = None
    snoozed_until_ms: int | None = None
    snoozed_by: str | None = None
    snooze_reason: str | None = None

    def is_snoozed(self, now_ms: int) -> bool:
        """Whether the case is snoozed at this time."""
        return self.snoozed_until_ms is not None and self.snoozed_until_ms > now_ms

    def is_of_another(self, login: str) -> bool:
        """Whether the case is assigned to another login."""
        return self.assigned_to not in (None, login)


UNHANDLED: Final = Handling()


class HandlingStore(Protocol):
    """Handling of open cases; methods raise ``StoreUnavailable`` without an answer."""

    def handlings(self) -> Mapping[str, Handling]:
        """Return the handling of all cases that have one, by transaction id."""

    def change(self, transaction_id: str, before: Handling, after: Handling) -> bool:
        """Replace a handling; False, and nothing is changed, if it is no longer ``before``."""


class HandlingRefused(ValueError):
    """The handling was not changed; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class CaseHandling:
    """Use cases that assign and snooze open cases."""

    store: HandlingStore
    claims: Claims
    audit_log: Callable[[], AuditLog]
    deciders: Callable[[], Collection[str]]
    """Logins to whom a case may be assigned."""
    now_ms: Callable[[], int]

    def assign(self, person: Person, transaction_id: str, login: str | None) -> None:
        """Assign a case, or with None to no one.

        An analyst takes a case that is assigned to no one, and gives back an own one. Everything
        else concerns another person: it needs the right to assign, and is audited first.

        Raises:
            Forbidden: the role lacks the right.
            HandlingRefused: the login may not decide, or the case was handled meanwhile.
            NotDelivered: the audit record may not be written, so nothing was changed.
            StoreUnavailable: nothing is known to be changed.
        """
        person.require(Right.DECIDE)
        before = self._handling_of(transaction_id)
        concerned = {before.assigned_to, login} - {None, person.login}
        if concerned:
            person.require(Right.ASSIGN)
        if login is not None and login not in self.deciders():
            raise HandlingRefused(
                f"{login} has no open account that decides cases, so nothing was changed: choose "
                "another analyst."
            )
        if concerned:
            why = f"Assigned to {login or 'no one'}, before to {before.assigned_to or 'no one'}."
            self.audit_log().write(_record(person, transaction_id, why, self.now_ms()))
        assigned_by = None if login is None else person.login
        self._change(
            transaction_id, before, replace(before, assigned_to=login, assigned_by=assigned_by)
        )

    def snooze(self, person: Person, transaction_id: str, until_ms: int, reason: str) -> None:
        """Leave a case out of the queue until a time, and release one's own claim on it.

        Raises:
            Forbidden: the person's role does not decide.
            HandlingRefused: time or reason break their bounds, or another analyst has the case.
            StoreUnavailable: nothing is known to be changed.
        """
        person.require(Right.DECIDE)
        now_ms, reason = self.now_ms(), reason.strip()
        if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
            raise HandlingRefused(
                f"The reason must have {SHORTEST_REASON} to {LONGEST_REASON} characters. Nothing "
                "was changed."
            )
        if not now_ms < until_ms <= now_ms + LONGEST_SNOOZE_DAYS * DAY_MS:
            raise HandlingRefused(
                f"The time must be within the next {LONGEST_SNOOZE_DAYS} days, so nothing was "
                "changed."
            )
        holder = self.claims.active_claims().get(transaction_id, person.login)
        if holder != person.login:
            raise HandlingRefused(f"{holder} works on this case now, so nothing was changed.")
        before = self._handling_of(transaction_id)
        after = replace(
            before, snoozed_until_ms=until_ms, snoozed_by=person.login, snooze_reason=reason
        )
        self._change(transaction_id, before, after)
        self.claims.release(transaction_id, person.login)

    def wake(self, person: Person, transaction_id: str) -> None:
        """End a snooze; raises as :meth:`snooze` does."""
        person.require(Right.DECIDE)
        before = self._handling_of(transaction_id)
        after = replace(before, snoozed_until_ms=None, snoozed_by=None, snooze_reason=None)
        self._change(transaction_id, before, after)

    def finish(self, transaction_id: str) -> None:
        """Delete the handling of a decided case.

        Raises:
            StoreUnavailable: it is left; it has no effect on a decided case.
        """
        self.store.change(transaction_id, self._handling_of(transaction_id), UNHANDLED)

    def _handling_of(self, transaction_id: str) -> Handling:
        return self.store.handlings().get(transaction_id, UNHANDLED)

    def _change(self, transaction_id: str, before: Handling, after: Handling) -> None:
        if not self.store.change(transaction_id, before, after):
            raise HandlingRefused(
                "The case was assigned or snoozed by another person meanwhile, so nothing was "
                "changed: look at it again."
            )


def _record(person: Person, transaction_id: str, reason: str, now_ms: int) -> AuditRecord:
    return AuditRecord(
        schema=AUDIT_SCHEMA,
        record_id=uuid.uuid4().hex,
        at_ms=now_ms,
        deed=AuditAction.CASE_ASSIGNED,
        by=person.login,
        reason=reason,
        transaction_id=transaction_id,
    )
