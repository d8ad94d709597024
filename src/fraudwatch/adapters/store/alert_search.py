"""Search alerts in Cassandra: one small query a time bucket, in waves from the newest back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cassandra.cluster import Session

from fraudwatch.adapters.store.alert_tables import (
    BY_CUSTOMER,
    BY_MERCHANT,
    BY_RULE,
    whole_alert_from,
)
from fraudwatch.adapters.store.buckets import buckets_back, day_start, month_start, waves
from fraudwatch.adapters.store.rows import ALERTS, Table, alert_from, hour_of, month_of
from fraudwatch.adapters.store.session import KEYSPACE, translate_driver_errors
from fraudwatch.application.alert_search import AlertQuery, Position, Scan
from fraudwatch.application.console.alerts import Alert, in_order
from fraudwatch.domain.instants import day_of

# Four waves: 30 hours, or a month of a merchant's or a rule's days.
MAX_BUCKETS = 30
Key = tuple[Any, ...]


class CassandraAlertSearch:
    """``AlertScanner`` over the table made for the narrowest filter of a query."""

    def __init__(self, session: Session) -> None:
        """Prepare the statements.

        Raises:
            StoreUnavailable: Cassandra does not answer, or the tables do not exist yet.
        """
        self._session = session
        with translate_driver_errors():
            self._by_hour = _Index(session, ALERTS, hour_of, _hours, alert_from)
            self._by_customer = _Index(
                session, BY_CUSTOMER, month_start, _customer_month, whole_alert_from
            )
            self._by_merchant = _Index(
                session, BY_MERCHANT, day_start, _merchant_day, whole_alert_from
            )
            self._by_rule = _Index(session, BY_RULE, day_start, _rule_day, whole_alert_from)

    def scan(self, query: AlertQuery, after: Position, limit: int) -> Scan:
        index = self._index_of(query)
        newest_ms = after.decided_at_ms - (0 if after.transaction_id else 1)
        if newest_ms < query.since_ms:
            return Scan([], None)
        buckets = buckets_back(index.start_of, newest_ms, query.since_ms)
        within_reach = buckets[:MAX_BUCKETS]
        found = index.at_instant(query, after, limit) if after.transaction_id else []
        span = (query.since_ms, after.decided_at_ms)
        for wave in waves(within_reach):
            if len(found) >= limit:
                break
            found += index.between(query, wave, span, limit)
        if len(found) >= limit:
            found = found[:limit]
            return Scan(found, Position(found[-1].decided_at_ms, found[-1].transaction_id))
        is_last = len(within_reach) == len(buckets)
        return Scan(found, None if is_last else Position(within_reach[-1]))

    def _index_of(self, query: AlertQuery) -> _Index:
        if query.customer_token is not None:
            return self._by_customer
        if query.merchant_id is not None:
            return self._by_merchant
        return self._by_hour if query.rule is None else self._by_rule


@dataclass(slots=True, init=False)
class _Index:
    """One table, its time buckets and the two statements that read it."""

    start_of: Callable[[int], int]
    _session: Session
    _keys_of: Callable[[AlertQuery, int], list[Key]]
    _decode: Callable[[Mapping[str, Any]], Alert]
    _instant: Any
    _between: Any

    def __init__(
        self,
        session: Session,
        table: Table,
        start_of: Callable[[int], int],
        keys_of: Callable[[AlertQuery, int], list[Key]],
        decode: Callable[[Mapping[str, Any]], Alert],
    ) -> None:
        self._session, self.start_of = session, start_of
        self._keys_of, self._decode = keys_of, decode
        columns = "alert" if "alert" in table.sources else ", ".join(table.sources)
        where = " AND ".join(f"{name} = ?" for name in table.partition)
        rows = f"SELECT {columns} FROM {KEYSPACE}.{table.name} WHERE {where}"  # noqa: S608  names are ours
        self._instant = session.prepare(
            f"{rows} AND decided_at = ? AND transaction_id > ? LIMIT ?",
        )
        self._between = session.prepare(f"{rows} AND decided_at >= ? AND decided_at < ? LIMIT ?")
        self._instant.is_idempotent = self._between.is_idempotent = True

    def at_instant(self, query: AlertQuery, after: Position, limit: int) -> list[Alert]:
        """Read what is left of the instant of a position."""
        bucket = self.start_of(after.decided_at_ms)
        keys = self._keys_of(query, bucket)
        return self._ask(self._instant, [(*key, *after, limit) for key in keys])

    def between(
        self, query: AlertQuery, buckets: Iterable[int], span: tuple[int, int], limit: int
    ) -> list[Alert]:
        """Read some buckets, from the first instant of the span to before its second."""
        keys = [key for bucket in buckets for key in self._keys_of(query, bucket)]
        return self._ask(self._between, [(*key, *span, limit) for key in keys])

    def _ask(self, statement: Any, keys: Iterable[Key]) -> list[Alert]:
        with translate_driver_errors():
            futures = [self._session.execute_async(statement, key) for key in keys]
            return in_order(self._decode(row) for answer in futures for row in answer.result())


def _hours(query: AlertQuery, bucket_ms: int) -> list[Key]:
    return [(bucket_ms, str(risk)) for risk in query.risks]


def _customer_month(query: AlertQuery, bucket_ms: int) -> list[Key]:
    return [(query.customer_token, month_of(bucket_ms))]


def _merchant_day(query: AlertQuery, bucket_ms: int) -> list[Key]:
    return [(query.merchant_id, day_of(bucket_ms))]


def _rule_day(query: AlertQuery, bucket_ms: int) -> list[Key]:
    return [(query.rule, day_of(bucket_ms))]
