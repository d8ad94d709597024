"""The next case: the gravest and newest alert that waits for somebody, claimed for who asks.

Two who ask at once read the same list; the claim decides between them, and who loses it takes the
next. So nobody ever gets a case that another person holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.alerts import ALERT_RISKS, Alert
from fraudwatch.application.console.casework import CaseReader, Claims
from fraudwatch.application.ports import AlertReader

WAITING_HOURS: Final = 24
# Nearly always one of the newest waits; the whole day is read only when all of those are done.
_LIMITS: Final = (100, 1_000, 10_000)


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """An open case of a person's queue; ``is_claimed`` by that person."""

    alert: Alert
    is_claimed: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits for a decision."""

    alerts: AlertReader
    cases: CaseReader
    claims: Claims

    def take_next(
        self, person: Person, *, now: datetime, besides: Collection[str] = ()
    ) -> str | None:
        """Claim the next case and name its transaction; None when nothing waits.

        ``besides`` are transactions not to give: skipped ones, and ones decided so lately that the
        label is still on its way to the store.

        Raises:
            Forbidden: the person's role does not decide.
            StoreUnavailable: nobody can tell what waits.
        """
        person.require(Right.DECIDE)
        held = self.claims.held()
        names = (one.transaction_id for one in self._open(person, held, now, besides))
        return next((name for name in names if self._takes(name, person.login)), None)

    def waiting(
        self, person: Person, *, now: datetime, limit: int, besides: Collection[str] = ()
    ) -> list[WaitingCase]:
        """List the open cases in working order, without those that others have claimed.

        Raises:
            Forbidden: the person's role does not see cases.
            StoreUnavailable: the store does not answer.
        """
        person.require(Right.SEE)
        held = self.claims.held()
        cases: dict[str, WaitingCase] = {}
        for alert in islice(self._open(person, held, now, besides), limit):
            name = alert.transaction_id
            cases.setdefault(name, WaitingCase(alert, is_claimed=name in held))
        return list(cases.values())

    def _open(
        self, person: Person, held: Mapping[str, str], now: datetime, besides: Collection[str]
    ) -> Iterator[Alert]:
        since = now - timedelta(hours=WAITING_HOURS)
        labelled = (label.transaction_id for label in self.cases.labels_known(since, now=now))
        others = (name for name, login in held.items() if login != person.login)
        closed = {*besides, *labelled, *others}
        return (one for one in self._gravest_first(now) if one.transaction_id not in closed)

    def _gravest_first(self, now: datetime) -> Iterator[Alert]:
        """Alerts, the newest of each risk level first; a transaction may come twice."""
        for risk in ALERT_RISKS:
            seen = 0
            for limit in _LIMITS:
                found = self.alerts.latest(limit, now=now, hours=WAITING_HOURS, risks=(risk,))
                yield from found[seen:]
                if len(found) < limit:
                    break
                seen = limit

    def _takes(self, transaction_id: str, login: str) -> bool:
        if self.claims.claim(transaction_id, login) != login:
            return False
        # Somebody may have decided it, and let go of it, since the labels were read.
        if self.alerts.labels_of(transaction_id):
            self.claims.release(transaction_id, login)
            return False
        return True
