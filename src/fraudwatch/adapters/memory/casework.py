"""Memory twins of the ports of casework; see :mod:`fraudwatch.application.console.casework`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta

from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.case_order import (
    latest_first,
    latest_refund_first,
    newest_first,
)
from fraudwatch.application.console.casework import CLAIM_SECONDS, Erased, RevealRefused, Shared
from fraudwatch.application.console.reveal import mask_personal_fields, reason_problems
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.refund import Refund
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.tally import Tally


class MemoryCases:
    """``CaseReader`` over the rows of a memory store."""

    def __init__(self, store: MemoryVerdictStore) -> None:
        self._store = store

    def purchase_of(self, verdict: Verdict) -> Transaction | None:
        key = (verdict.customer_token, verdict.event_at_ms, verdict.transaction_id)
        return next((one for one in self._bought() if _key(one) == key), None)

    def purchases_of(
        self, customer_token: str, *, until: datetime, days: int, limit: int
    ) -> list[Transaction]:
        first, last = epoch_ms_of(until - timedelta(days=days)), epoch_ms_of(until)
        return [
            one
            for one in self._bought()
            if one.customer_token == customer_token and first <= one.event_at_ms <= last
        ][:limit]

    def purchases_with(
        self, shared: Shared, token: str, *, until: datetime, days: int, limit: int
    ) -> list[Transaction]:
        first, last = epoch_ms_of(until - timedelta(days=days)), epoch_ms_of(until)
        return [
            one
            for one in self._bought()
            if getattr(one, shared) == token and first <= one.event_at_ms <= last
        ][:limit]

    def verdicts_of(self, transaction_ids: Collection[str]) -> dict[str, Verdict]:
        found = {name: self._store.verdict_of(name) for name in transaction_ids}
        return {name: verdict for name, verdict in found.items() if verdict is not None}

    def labels_known(self, since: datetime, *, now: datetime) -> list[Label]:
        first, last = epoch_ms_of(since), epoch_ms_of(now)
        known = [one for one in self._store.labels() if first <= one.known_at_ms <= last]
        return latest_first(known)

    def refunds_of(self, transaction_id: str) -> list[Refund]:
        found = [one for one in self._store.refunds() if one.transaction_id == transaction_id]
        return latest_refund_first(found)

    def _bought(self) -> list[Transaction]:
        return newest_first(self._store.purchases())


class MemoryClaims:
    """``Claims`` in a dictionary, by a given clock."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._claims: dict[str, tuple[str, datetime]] = {}
        self._lock = threading.Lock()  # console sessions are threads, and only one may win
        self.is_reachable = True

    def claim(self, transaction_id: str, login: str) -> str:
        with self._lock:
            holder = self.active_claims().get(transaction_id, login)
            if holder == login:
                until = self._clock() + timedelta(seconds=CLAIM_SECONDS)
                self._claims[transaction_id] = (login, until)
        return holder

    def release(self, transaction_id: str, login: str) -> None:
        with self._lock:
            if self.active_claims().get(transaction_id) == login:
                del self._claims[transaction_id]

    def active_claims(self) -> Mapping[str, str]:
        if not self.is_reachable:
            raise StoreUnavailable("these memory claims were made unavailable")
        now = self._clock()
        claims = dict(self._claims)
        return {name: login for name, (login, until) in claims.items() if until > now}


class MemoryTallies:
    """``TallyReader`` over a list."""

    def __init__(self, tallies: Sequence[Tally] = ()) -> None:
        self.rows = list(tallies)
        self.is_reachable = True

    def tallies(self, days: Collection[date]) -> Sequence[Tally]:
        if not self.is_reachable:
            raise StoreUnavailable("these memory tallies were made unavailable")
        wanted = {day.isoformat() for day in days}
        return [row for row in self.rows if row.day in wanted]


class MemoryAudit:
    """``AuditReader`` over a list, and over the records of a memory store."""

    def __init__(self, store: MemoryVerdictStore | None = None) -> None:
        self.records: list[AuditRecord] = []
        self._store = store
        self.is_reachable = True

    def audited(self, since: datetime, *, now: datetime, limit: int) -> list[AuditRecord]:
        if not self.is_reachable:
            raise StoreUnavailable("this memory audit log was made unavailable")
        first, last = epoch_ms_of(since), epoch_ms_of(now)
        known = [*self.records, *(self._store.records() if self._store else ())]
        found = [record for record in known if first <= record.at_ms <= last]
        return sorted(found, key=lambda one: (-one.at_ms, one.record_id))[:limit]


class MemoryRevealer:
    """``Revealer`` of given personal fields, by transaction id; tests can make it refuse."""

    def __init__(self, personal: Mapping[str, Mapping[str, str]]) -> None:
        self._personal = personal
        self.asked: list[tuple[str, str, str]] = []  # transaction id, login, reason
        self.is_reachable = True

    def reveal(self, purchase: Transaction, *, person: Person, reason: str) -> Mapping[str, str]:
        person.require(Right.REVEAL)
        if not self.is_reachable:
            raise RevealRefused("this memory edge was made unavailable; nothing was shown")
        if broken := reason_problems(reason):
            raise RevealRefused(f"the reason {broken[0].reason}; nothing was shown")
        if purchase.sealed is None:
            raise RevealRefused("this purchase has no sealed fields; nothing was shown")
        self.asked.append((purchase.transaction_id, person.login, reason.strip()))
        if purchase.transaction_id not in self._personal:
            raise Erased("the customer was forgotten")
        return mask_personal_fields(self._personal[purchase.transaction_id])


def _key(purchase: Transaction) -> tuple[str, int, str]:
    return purchase.customer_token, purchase.event_at_ms, purchase.transaction_id
