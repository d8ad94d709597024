"""Read cases from Cassandra: each query uses the table or index made for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cassandra.cluster import Session
from cassandra.concurrent import execute_concurrent_with_args

from fraudwatch.adapters.store.rows import (
    LABELS_BY_DAY,
    TRANSACTIONS,
    VERDICTS,
    label_from,
    month_of,
    purchase_from,
    verdict_from,
)
from fraudwatch.adapters.store.session import KEYSPACE, translate_driver_errors
from fraudwatch.application.console.case_order import latest_first, newest_first
from fraudwatch.application.console.casework import Shared
from fraudwatch.domain.instants import day_of, epoch_ms_of
from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Verdict

# Concurrent queries: a page must not starve the persister of the store.
MAX_CONCURRENT_QUERIES = 32
# An index is not ordered by time, so the newest are picked from all; a mobile carrier's network has
# more than an analyst can read. Measured: 1,000 take 0.2 s, and over 2 s on a busy machine.
MAX_SHARED_PURCHASES = 300
_DAY = timedelta(days=1)
_PURCHASE = f"SELECT purchase FROM {KEYSPACE}.{TRANSACTIONS.name} WHERE"  # noqa: S608  names are ours
_CUSTOMERS_MONTH = "customer_token = ? AND month = ?"


class CassandraCases:
    """``CaseReader`` with the rights of the console, which only reads."""

    def __init__(self, session: Session) -> None:
        """Prepare the statements.

        Raises:
            StoreUnavailable: Cassandra does not answer, or the tables do not exist yet.
        """
        self._session = session
        with translate_driver_errors():
            self._purchase = self._prepared(
                f"{_PURCHASE} {_CUSTOMERS_MONTH} AND event_at = ? AND transaction_id = ?"
            )
            self._month = self._prepared(
                f"{_PURCHASE} {_CUSTOMERS_MONTH} AND event_at >= ? AND event_at <= ? LIMIT ?"
            )
            self._sharing = {
                shared: self._prepared(f"{_PURCHASE} {shared} = ? LIMIT {MAX_SHARED_PURCHASES}")
                for shared in Shared
            }
            self._verdict = self._prepared(
                f"SELECT verdict FROM {KEYSPACE}.{VERDICTS.name} "  # noqa: S608  names are ours
                "WHERE transaction_id = ?"
            )
            self._day = self._prepared(
                f"SELECT * FROM {KEYSPACE}.{LABELS_BY_DAY.name} "  # noqa: S608  names are ours
                "WHERE day = ? AND known_at >= ? AND known_at <= ?"
            )

    def purchase_of(self, verdict: Verdict) -> Transaction | None:
        at_ms = verdict.event_at_ms
        key = (verdict.customer_token, month_of(at_ms), at_ms, verdict.transaction_id)
        return next((purchase_from(row) for row in self._ask(self._purchase, [key])), None)

    def purchases_of(
        self, customer_token: str, *, until: datetime, days: int, limit: int
    ) -> list[Transaction]:
        first_ms, last_ms = epoch_ms_of(until - days * _DAY), epoch_ms_of(until)
        found: list[Transaction] = []
        # One after another: most often the newest month or two already fill the list.
        for month in _months_back(until, until - days * _DAY):
            key = (customer_token, month, first_ms, last_ms, limit - len(found))
            found += [purchase_from(row) for row in self._ask(self._month, [key])]
            if len(found) >= limit:
                break
        return found

    def purchases_with(self, shared: Shared, token: str, *, limit: int) -> list[Transaction]:
        """See :class:`fraudwatch.application.console.casework.CaseReader`.

        Of a token with more than :data:`MAX_SHARED_PURCHASES` purchases only that many are read, in
        no order of time, and the newest of these are returned.
        """
        rows = self._ask(self._sharing[shared], [(token,)])
        return newest_first(purchase_from(row) for row in rows)[:limit]

    def verdicts_of(self, transaction_ids: Collection[str]) -> dict[str, Verdict]:
        keys = [(name,) for name in dict.fromkeys(transaction_ids)]
        found = [verdict_from(row) for row in self._ask(self._verdict, keys)]
        return {verdict.transaction_id: verdict for verdict in found}

    def labels_known(self, since: datetime, *, now: datetime) -> list[Label]:
        first_ms, last_ms = epoch_ms_of(since), epoch_ms_of(now)
        keys = [(day, first_ms, last_ms) for day in _days_back(now, since)]
        return latest_first(label_from(row) for row in self._ask(self._day, keys))

    def _prepared(self, statement: str) -> Any:
        prepared = self._session.prepare(statement)
        prepared.is_idempotent = True
        return prepared

    def _ask(self, statement: Any, keys: Iterable[tuple[Any, ...]]) -> list[Mapping[str, Any]]:
        with translate_driver_errors():
            answers = execute_concurrent_with_args(
                self._session, statement, list(keys), concurrency=MAX_CONCURRENT_QUERIES
            )
            return [row for _, rows in answers for row in rows]


def _days_back(last: datetime, first: datetime) -> Iterator[str]:
    at, end = last.astimezone(UTC), first.astimezone(UTC).date()
    while at.date() >= end:
        yield day_of(epoch_ms_of(at))
        at -= _DAY


def _months_back(last: datetime, first: datetime) -> Iterator[str]:
    at, end = last.astimezone(UTC), month_of(epoch_ms_of(first))
    while (month := month_of(epoch_ms_of(at))) >= end:
        yield month
        at = at.replace(day=1) - _DAY
