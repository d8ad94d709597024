"""Read undecided alerts of any age from ``open_alert``, and fill it once from ``alert_by_hour``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from cassandra.cluster import Session
from cassandra.concurrent import execute_concurrent_with_args

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.store.alerts import CassandraAlertReader
from fraudwatch.adapters.store.cases import CassandraCases
from fraudwatch.adapters.store.rows import ALERTS, OPEN_ALERTS, verdict_from
from fraudwatch.adapters.store.session import KEYSPACE, translate_driver_errors
from fraudwatch.adapters.store.verdict_store import CassandraVerdictStore
from fraudwatch.application.console.alerts import ALERT_RISKS, Alert, newest_first
from fraudwatch.domain.messages.verdict import Risk, Verdict

MAX_CONCURRENT_QUERIES: Final = 32
_TABLE: Final = f"{KEYSPACE}.{OPEN_ALERTS.name}"
_FILL: Final = f"{KEYSPACE}.open_alert_fill"
T = TypeVar("T")


class CassandraOpenAlerts:
    """``OpenAlertReader`` that reads the partitions of one risk level after another."""

    def __init__(self, session: Session) -> None:
        """Prepare the statements.

        Raises:
            StoreUnavailable: Cassandra does not answer, or the table does not exist yet.
        """
        self._session = session
        with translate_driver_errors():
            # The list of partitions: days without an open alert have none.
            self._partitions = session.prepare(
                f"SELECT DISTINCT day, risk FROM {_TABLE}"  # noqa: S608  names are ours
            )
            self._alerts = session.prepare(
                f"SELECT alert FROM {_TABLE} WHERE day = ? AND risk = ? LIMIT ?"  # noqa: S608  names are ours
            )
            self._verdict = session.prepare(
                f"SELECT verdict FROM {_TABLE} WHERE transaction_id = ?"  # noqa: S608  names are ours
            )
        for statement in (self._partitions, self._alerts, self._verdict):
            statement.is_idempotent = True

    def open_alerts(self, limit: int) -> list[Alert]:
        days: dict[Risk, list[str]] = {risk: [] for risk in (*ALERT_RISKS, Risk.LOW)}
        for row in self._ask(self._partitions, [()]):
            days[Risk(row["risk"])].append(row["day"])
        found: list[Alert] = []
        for risk, risk_days in days.items():
            for some in _groups(sorted(risk_days), MAX_CONCURRENT_QUERIES):
                left = limit - len(found)
                if left <= 0:
                    break
                rows = self._ask(self._alerts, [(day, str(risk), left) for day in some])
                found += [decode(Alert, row["alert"].encode()) for row in rows][:left]
        return newest_first(found)

    def open_verdict(self, transaction_id: str) -> Verdict | None:
        verdicts = [verdict_from(row) for row in self._ask(self._verdict, [(transaction_id,)])]
        return max(verdicts, key=lambda one: one.decided_at_ms, default=None)

    def _ask(self, statement: Any, keys: Iterable[tuple[Any, ...]]) -> list[Mapping[str, Any]]:
        with translate_driver_errors():
            answers = execute_concurrent_with_args(
                self._session, statement, list(keys), concurrency=MAX_CONCURRENT_QUERIES
            )
            return [row for _, rows in answers for row in rows]


def fill_once(session: Session, store: CassandraVerdictStore, now: datetime) -> int:
    """Add the undecided alerts of before the table to it; return how many alerts were read.

    It is done once in a store's life. When killed it is done again, which changes nothing.

    Raises:
        StoreUnavailable: not now; the same call may be repeated.
    """
    with translate_driver_errors():
        done = session.execute(f"SELECT name FROM {_FILL} WHERE name = 'alert_by_hour'")  # noqa: S608  names are ours
        if done.one() is not None:
            return 0
    alerts, cases, count = CassandraAlertReader(session), CassandraCases(session), 0
    for since in _days_with_alerts(session):
        of_day = alerts.decided_between(since, since + timedelta(days=1), limit=1_000_000)
        for some in _groups(of_day, 1_000):
            verdicts = cases.verdicts_of([alert.transaction_id for alert in some])
            store.write_open(verdicts.values())
        count += len(of_day)
    with translate_driver_errors():
        session.execute(
            f"INSERT INTO {_FILL} (name, done_at) VALUES ('alert_by_hour', %s)",  # noqa: S608  names are ours
            (now,),
        )
    return count


def _groups(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _days_with_alerts(session: Session) -> list[datetime]:
    with translate_driver_errors():
        # The list of partitions: on a new store there is none.
        rows = session.execute(f"SELECT DISTINCT hour_at, risk FROM {KEYSPACE}.{ALERTS.name}")  # noqa: S608  names are ours
        hours = {row["hour_at"].replace(tzinfo=UTC) for row in rows}
    return sorted({hour.replace(hour=0) for hour in hours})
