"""Next case of the queue: the open alert of highest risk, then of most score times amount.

It is claimed for the analyst. Two may read the same list at once; the claim decides, and the other
gets the next case. So a case is never given to two analysts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.alerts import ALERT_RISKS, Alert
from fraudwatch.application.console.case_order import most_at_stake_first
from fraudwatch.application.console.casework import CaseReader, Claims
from fraudwatch.application.ports import AlertReader

WAITING_HOURS: Final = 24
# The order is by value, so a risk level is read whole; a flood beyond this leaves out the oldest.
MAX_WAITING: Final = 10_000


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """An open case of a person's queue; ``is_claimed`` by that person."""

    alert: Alert
    is_claimed: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """Open cases in working order."""

    alerts: AlertReader
    cases: CaseReader
    claims: Claims

    def claim_next(
        self, person: Person, *, now: datetime, excluded: Collection[str] = ()
    ) -> str | None:
        """Claim the next case and return its transaction id; None when no case is open.

        ``excluded`` are transactions to leave out: skipped ones, and those decided so recently that
        the label has not reached the store yet.

        Raises:
            Forbidden: the person's role does not decide.
            StoreUnavailable: the open cases cannot be read.
        """
        person.require(Right.DECIDE)
        claims = self.claims.active_claims()
        names = (one.transaction_id for one in self._open(person, claims, now, excluded))
        return next((name for name in names if self._claim(name, person.login)), None)

    def waiting(
        self, person: Person, *, now: datetime, limit: int, excluded: Collection[str] = ()
    ) -> list[WaitingCase]:
        """List the open cases in working order, without those that others have claimed.

        Raises:
            Forbidden: the person's role does not see cases.
            StoreUnavailable: the store does not answer.
        """
        person.require(Right.SEE)
        claims = self.claims.active_claims()
        cases: dict[str, WaitingCase] = {}
        for alert in islice(self._open(person, claims, now, excluded), limit):
            name = alert.transaction_id
            cases.setdefault(name, WaitingCase(alert, is_claimed=name in claims))
        return list(cases.values())

    def _open(
        self, person: Person, claims: Mapping[str, str], now: datetime, excluded: Collection[str]
    ) -> Iterator[Alert]:
        since = now - timedelta(hours=WAITING_HOURS)
        labelled = (label.transaction_id for label in self.cases.labels_known(since, now=now))
        others = (name for name, login in claims.items() if login != person.login)
        closed = {*excluded, *labelled, *others}
        return (one for one in self._by_risk(now) if one.transaction_id not in closed)

    def _by_risk(self, now: datetime) -> Iterator[Alert]:
        """Alerts by risk level, then by score times amount; a transaction may come twice."""
        for risk in ALERT_RISKS:
            found = self.alerts.latest(MAX_WAITING, now=now, hours=WAITING_HOURS, risks=(risk,))
            yield from most_at_stake_first(found)

    def _claim(self, transaction_id: str, login: str) -> bool:
        if self.claims.claim(transaction_id, login) != login:
            return False
        # It may have been decided and released since the labels were read.
        if self.alerts.labels_of(transaction_id):
            self.claims.release(transaction_id, login)
            return False
        return True
