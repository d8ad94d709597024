"""Read alerts from Cassandra: one small query for each hour and risk, in parallel, newest first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from cassandra.cluster import Session

from fraudwatch.adapters.store.buckets import waves
from fraudwatch.adapters.store.rows import (
    ALERTS,
    LABELS,
    VERDICTS,
    alert_from,
    hour_of,
    label_from,
    verdict_from,
)
from fraudwatch.adapters.store.session import KEYSPACE, translate_driver_errors
from fraudwatch.application.console.alerts import ALERT_RISKS, Alert, in_order, newest_first
from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.verdict import Risk, Verdict
from fraudwatch.domain.time_units import HOUR_MS

_PARTITION = "WHERE hour_at = ? AND risk = ? AND decided_at >= ?"


class CassandraAlertReader:
    """``AlertReader`` that answers each query from the table made for it."""

    def __init__(self, session: Session) -> None:
        """Prepare the statements.

        Raises:
            StoreUnavailable: Cassandra does not answer, or the tables do not exist yet.
        """
        self._session = session
        alerts, verdicts = (f"{KEYSPACE}.{table.name}" for table in (ALERTS, VERDICTS))
        columns = ", ".join(ALERTS.sources)
        with translate_driver_errors():
            self._latest = session.prepare(
                f"SELECT {columns} FROM {alerts} {_PARTITION} LIMIT ?"  # noqa: S608  names are ours
            )
            self._between = session.prepare(
                f"SELECT {columns} FROM {alerts} "  # noqa: S608  names are ours
                f"{_PARTITION} AND decided_at < ? LIMIT ?"
            )
            self._count = session.prepare(
                f"SELECT count(*) AS alerts FROM {alerts} {_PARTITION}"  # noqa: S608  names are ours
            )
            self._verdict = session.prepare(
                f"SELECT * FROM {verdicts} WHERE transaction_id = ?"  # noqa: S608  names are ours
            )
            self._labels = session.prepare(
                f"SELECT * FROM {KEYSPACE}.{LABELS.name} "  # noqa: S608  names are ours
                "WHERE transaction_id = ?"
            )
        for statement in (self._latest, self._between, self._count, self._verdict):
            statement.is_idempotent = True

    def latest(
        self,
        limit: int,
        *,
        now: datetime,
        hours: int = 24,
        risks: Collection[Risk] = ALERT_RISKS,
    ) -> list[Alert]:
        since_ms = epoch_ms_of(now - timedelta(hours=hours))
        found: list[Alert] = []
        for wave in waves(_hours_back(epoch_ms_of(now), since_ms)):
            keys = ((hour_at, str(risk), since_ms, limit) for hour_at in wave for risk in risks)
            found += [alert_from(row) for row in self._ask(self._latest, keys)]
            found = newest_first(found)
            if len(found) >= limit:
                break
        return found[:limit]

    def decided_between(self, since: datetime, until: datetime, *, limit: int) -> list[Alert]:
        since_ms, until_ms = epoch_ms_of(since), epoch_ms_of(until)
        found: list[Alert] = []
        for wave in waves(_hours_back(until_ms - 1, since_ms)):
            keys = (
                (hour_at, str(risk), since_ms, until_ms, limit)
                for hour_at in wave
                for risk in ALERT_RISKS
            )
            found += [alert_from(row) for row in self._ask(self._between, keys)]
            if len(found) >= limit:
                break
        return in_order(found)[:limit]

    def count_since(
        self, since: datetime, *, now: datetime, risks: Collection[Risk] = ALERT_RISKS
    ) -> int:
        since_ms = epoch_ms_of(since)
        hours = _hours_back(epoch_ms_of(now), since_ms)
        keys = ((hour_at, str(risk), since_ms) for hour_at in hours for risk in risks)
        return sum(row["alerts"] for row in self._ask(self._count, keys))

    def verdict_of(self, transaction_id: str) -> Verdict | None:
        rows = self._ask(self._verdict, [(transaction_id,)])
        return verdict_from(rows[0]) if rows else None

    def labels_of(self, transaction_id: str) -> list[Label]:
        labels = [label_from(row) for row in self._ask(self._labels, [(transaction_id,)])]
        return sorted(labels, key=lambda label: label.known_at_ms, reverse=True)

    def _ask(self, statement: Any, keys: Iterable[tuple[Any, ...]]) -> list[Mapping[str, Any]]:
        with translate_driver_errors():
            futures = [self._session.execute_async(statement, key) for key in keys]
            return [row for answer in futures for row in answer.result()]


def _hours_back(now_ms: int, since_ms: int) -> list[int]:
    return list(range(hour_of(now_ms), hour_of(since_ms) - 1, -HOUR_MS))
