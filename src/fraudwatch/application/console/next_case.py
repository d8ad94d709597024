"""Next case of the queue: by risk, overdue ones first, then by score times amount.

It is claimed for the analyst. Two may read the same list at once; the claim decides, and the other
gets the next case. So a case is never given to two analysts.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.alerts import Alert
from fraudwatch.application.console.case_order import in_working_order
from fraudwatch.application.console.casework import Claims, OpenAlertReader
from fraudwatch.application.console.handling import UNHANDLED, Handling, HandlingStore
from fraudwatch.application.ports import AlertReader
from fraudwatch.domain.instants import epoch_ms_of

# The order is by value, so all are read; a flood beyond this leaves out lower risk levels.
MAX_OPEN: Final = 20_000


class View(enum.StrEnum):
    """Part of the open cases that a list shows."""

    TO_DO = "to_do"  # what "Next case" gives the person
    MINE = "mine"  # assigned to the person or claimed by them, snoozed ones included
    ASSIGNED = "assigned"  # assigned to anyone or claimed by anyone
    SNOOZED = "snoozed"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """An open case of a list, with the login that has claimed it and its handling."""

    alert: Alert
    claimed_by: str | None = None
    handling: Handling = UNHANDLED


@dataclass(frozen=True, slots=True)
class Queue:
    """Open cases in working order."""

    open_alerts: OpenAlertReader
    alerts: AlertReader
    claims: Claims
    handlings: HandlingStore

    def claim_next(
        self, person: Person, *, now: datetime, excluded: Collection[str] = ()
    ) -> str | None:
        """Claim the next case and return its transaction id; None when no case is left to do.

        ``excluded`` are transactions to leave out: skipped ones, and those decided so recently that
        the label has not reached the store yet.

        Raises:
            Forbidden: the person's role does not decide.
            StoreUnavailable: the open cases cannot be read.
        """
        person.require(Right.DECIDE)
        cases = self._cases(person, View.TO_DO, now, excluded)
        names = (case.alert.transaction_id for case in cases)
        return next((name for name in names if self._claim(name, person.login)), None)

    def waiting(
        self,
        person: Person,
        *,
        now: datetime,
        limit: int,
        excluded: Collection[str] = (),
        view: View = View.TO_DO,
    ) -> list[WaitingCase]:
        """List open cases in working order.

        Raises:
            Forbidden: the person's role does not see cases.
            StoreUnavailable: the store does not answer.
        """
        person.require(Right.SEE)
        return list(islice(self._cases(person, view, now, excluded), limit))

    def _cases(
        self, person: Person, view: View, now: datetime, excluded: Collection[str]
    ) -> Iterator[WaitingCase]:
        claims, handlings = self.claims.active_claims(), self.handlings.handlings()
        closed, now_ms = frozenset(excluded), epoch_ms_of(now)
        for alert in in_working_order(self.open_alerts.open_alerts(MAX_OPEN), now_ms):
            name = alert.transaction_id
            case = WaitingCase(alert, claims.get(name), handlings.get(name, UNHANDLED))
            if name not in closed and _is_in(view, case, person.login, now_ms):
                yield case

    def _claim(self, transaction_id: str, login: str) -> bool:
        if self.claims.claim(transaction_id, login) != login:
            return False
        # It may have been decided and released since the open cases were read.
        if any(label.decides for label in self.alerts.labels_of(transaction_id)):
            self.claims.release(transaction_id, login)
            return False
        return True


def _is_in(view: View, case: WaitingCase, login: str, now_ms: int) -> bool:
    handling, claimed_by = case.handling, case.claimed_by
    if view is View.TO_DO:
        is_free = claimed_by in (None, login) and not handling.is_of_another(login)
        return is_free and not handling.is_snoozed(now_ms)
    if view is View.MINE:
        return login in (claimed_by, handling.assigned_to)
    if view is View.ASSIGNED:
        return claimed_by is not None or handling.assigned_to is not None
    return view is View.ALL or handling.is_snoozed(now_ms)
