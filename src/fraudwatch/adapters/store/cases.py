"""Read cases from Cassandra: each query uses the table made for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from cassandra.cluster import Session
from cassandra.concurrent import execute_concurrent_with_args

from fraudwatch.adapters.store.buckets import buckets_back, day_start, waves
from fraudwatch.adapters.store.link_table import LINKS, bucket_of
from fraudwatch.adapters.store.refund_table import REFUNDS, refund_from
from fraudwatch.adapters.store.rows import (
    LABELS_BY_DAY,
    TRANSACTIONS,
    VERDICTS,
    epoch_ms_from,
    label_from,
    month_of,
    purchase_from,
    verdict_from,
)
from fraudwatch.adapters.store.session import KEYSPACE, translate_driver_errors
from fraudwatch.application.console.case_order import (
    latest_first,
    latest_refund_first,
    newest_first,
)
from fraudwatch.application.console.casework import Shared
from fraudwatch.domain.instants import day_of, epoch_ms_of
from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.refund import Refund
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Verdict

# Concurrent queries: a page must not starve the persister of the store.
MAX_CONCURRENT_QUERIES = 32
# A mobile carrier's network has more than an analyst can read.
MAX_SHARED_PURCHASES = 300
# Partitions that one request reads: a few when the newest days fill the list.
MAX_DAYS_AT_ONCE = 32
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
            self._links = self._prepared(
                f"SELECT event_at, transaction_id, customer_token FROM {KEYSPACE}.{LINKS.name} "  # noqa: S608  names are ours
                "WHERE bucket IN ? AND shared = ? AND shared_token = ? "
                "AND event_at >= ? AND event_at <= ? PER PARTITION LIMIT ?"
            )
            self._verdict = self._prepared(
                f"SELECT verdict FROM {KEYSPACE}.{VERDICTS.name} "  # noqa: S608  names are ours
                "WHERE transaction_id = ?"
            )
            self._day = self._prepared(
                f"SELECT * FROM {KEYSPACE}.{LABELS_BY_DAY.name} "  # noqa: S608  names are ours
                "WHERE day = ? AND known_at >= ? AND known_at <= ?"
            )
            self._refunds = self._prepared(
                f"SELECT refund FROM {KEYSPACE}.{REFUNDS.name} "  # noqa: S608  names are ours
                "WHERE transaction_id = ?"
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

    def purchases_with(
        self, shared: Shared, token: str, *, until: datetime, days: int, limit: int
    ) -> list[Transaction]:
        """See :class:`fraudwatch.application.console.casework.CaseReader`.

        No more than the newest :data:`MAX_SHARED_PURCHASES` are read, whatever the limit.
        """
        first_ms, last_ms = epoch_ms_of(until - days * _DAY), epoch_ms_of(until)
        limit = min(limit, MAX_SHARED_PURCHASES)
        found: list[_PurchaseKey] = []
        for some in waves(buckets_back(day_start, last_ms, first_ms), MAX_DAYS_AT_ONCE):
            buckets = [bucket_of(token, day_ms) for day_ms in some]
            key = (buckets, str(shared), token, first_ms, last_ms, limit)
            found += [_PurchaseKey.of(row) for row in self._ask(self._links, [key])]
            if len(found) >= limit:
                break
        found.sort(key=lambda one: (-one.event_at_ms, one.transaction_id))
        rows = self._ask(self._purchase, found[:limit])
        return newest_first(purchase_from(row) for row in rows)

    def verdicts_of(self, transaction_ids: Collection[str]) -> dict[str, Verdict]:
        keys = [(name,) for name in dict.fromkeys(transaction_ids)]
        found = [verdict_from(row) for row in self._ask(self._verdict, keys)]
        return {verdict.transaction_id: verdict for verdict in found}

    def labels_known(self, since: datetime, *, now: datetime) -> list[Label]:
        first_ms, last_ms = epoch_ms_of(since), epoch_ms_of(now)
        keys = [(day, first_ms, last_ms) for day in _days_back(now, since)]
        return latest_first(label_from(row) for row in self._ask(self._day, keys))

    def refunds_of(self, transaction_id: str) -> list[Refund]:
        rows = self._ask(self._refunds, [(transaction_id,)])
        return latest_refund_first(refund_from(row) for row in rows)

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


class _PurchaseKey(NamedTuple):
    """Key of a row of ``transaction_by_customer``, in the order of the statement."""

    customer_token: str
    month: str
    event_at_ms: int
    transaction_id: str

    @classmethod
    def of(cls, link: Mapping[str, Any]) -> _PurchaseKey:
        at_ms = epoch_ms_from(link["event_at"])
        return cls(link["customer_token"], month_of(at_ms), at_ms, link["transaction_id"])


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
