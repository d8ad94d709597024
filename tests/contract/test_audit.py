"""Contract of audit readers: memory twin and real Cassandra."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from fraudwatch.adapters.memory.casework import MemoryAudit
from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.console.casework import AuditReader
from fraudwatch.application.ports import VerdictStore
from fraudwatch.domain.messages.audit import AUDIT_SCHEMA, AuditAction, AuditRecord
from fraudwatch.samples import a_token

if TYPE_CHECKING:
    from cassandra.cluster import Session

    SessionOf = Callable[[str], Session]

# Each test gets two years of its own, long past, so that a shared engine never mixes its records
# with another's, nor with what other tests do today.
QUIET_YEARS = iter(random.sample(range(1904, 2000, 3), k=32))


@dataclass(frozen=True)
class Logs:
    """A store under test, who reads its records, and a stretch of time of its own."""

    writer: VerdictStore
    reader: AuditReader
    now: datetime

    def record(self, age: timedelta, **changes: object) -> AuditRecord:
        usual = AuditRecord(
            schema=AUDIT_SCHEMA,
            record_id=uuid.uuid4().hex,
            at_ms=int((self.now - age).timestamp() * 1_000),
            deed=AuditAction.REVEALED,
            by="lead",
            reason="the customer calls, “ticket 4711”",
            transaction_id="shop:1",
            customer_token=a_token("a"),
        )
        return replace(usual, **changes)  # type: ignore[arg-type]

    def last(self, days: float, limit: int = 100) -> list[AuditRecord]:
        return self.reader.audited(self.now - timedelta(days=days), now=self.now, limit=limit)


def _quiet_instant() -> datetime:
    return datetime(next(QUIET_YEARS), 12, 30, 12, 30, 0, 7_000, tzinfo=UTC)


@pytest.fixture(params=["memory", pytest.param("cassandra", marks=pytest.mark.engines)])
def logs(request: pytest.FixtureRequest) -> Iterator[Logs]:
    if request.param == "memory":
        store = MemoryVerdictStore()
        yield Logs(store, MemoryAudit(store), _quiet_instant())
        return
    from fraudwatch.adapters.store.audit import CassandraAudit
    from fraudwatch.adapters.store.verdict_store import CassandraVerdictStore

    session_of: SessionOf = request.getfixturevalue("session_of")
    writing, reading = session_of("persister"), session_of("console")
    yield Logs(CassandraVerdictStore(writing), CassandraAudit(reading), _quiet_instant())


def test_a_record_comes_back_as_it_was_written(logs: Logs) -> None:
    revealed = logs.record(timedelta(seconds=1))
    made = logs.record(
        timedelta(seconds=2),
        deed=AuditAction.ACCOUNT_MADE,
        transaction_id=None,
        customer_token=None,
        account="a.moreno",
    )
    logs.writer.write([], [], records=[made, revealed])
    assert logs.last(days=1) == [revealed, made]


def test_an_empty_log_has_no_records(logs: Logs) -> None:
    assert logs.last(days=400) == []


def test_the_latest_come_first_over_days_and_months(logs: Logs) -> None:
    records = [logs.record(timedelta(hours=7 * nth, milliseconds=nth)) for nth in range(200)]
    logs.writer.write([], [], records=random.sample(records, k=200))
    assert logs.last(days=60, limit=500) == records
    assert logs.last(days=60, limit=9) == records[:9]


def test_a_year_is_walked_to_its_end(logs: Logs) -> None:
    young, old = logs.record(timedelta(days=1)), logs.record(timedelta(days=399))
    logs.writer.write([], [], records=[old, young])
    assert logs.last(days=400) == [young, old]
    assert logs.last(days=398) == [young]


def test_the_first_and_the_last_instant_count(logs: Logs) -> None:
    day, tick = timedelta(days=1), timedelta(milliseconds=1)
    inside = [logs.record(timedelta(0)), logs.record(day)]
    outside = [logs.record(-tick), logs.record(day + tick)]
    logs.writer.write([], [], records=[*outside, *inside])
    assert logs.last(days=1) == inside


def test_a_record_that_comes_twice_is_one(logs: Logs) -> None:
    record = logs.record(timedelta(minutes=5))
    logs.writer.write([], [], records=[record])
    logs.writer.write([], [], records=[record])
    assert logs.last(days=1) == [record]


def test_two_actions_of_one_instant_are_two(logs: Logs) -> None:
    records = [logs.record(timedelta(minutes=5), record_id=digit * 32) for digit in "0a"]
    logs.writer.write([], [], records=records[::-1])
    assert logs.last(days=1) == records


@pytest.mark.engines
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM fraudwatch.audit_by_day WHERE day = '2026-11-21'",
        "INSERT INTO fraudwatch.audit_by_day (day, at, record_id) VALUES ('2026-11-21', 0, 'x')",
        "TRUNCATE fraudwatch.audit_by_day",
    ],
)
def test_the_console_reads_the_log_and_changes_nothing(
    refused_to_the_console: Callable[[str], None], statement: str
) -> None:
    refused_to_the_console(statement)


@pytest.mark.engines
def test_records_stay_for_400_days(session_of: SessionOf) -> None:
    from fraudwatch.adapters.store.verdict_store import CassandraVerdictStore

    session = session_of("persister")
    record = AuditRecord(
        schema=AUDIT_SCHEMA,
        record_id=uuid.uuid4().hex,
        at_ms=1_600_000_000_000,
        deed=AuditAction.REVEALED,
        by="lead",
        reason="the customer calls",
    )
    CassandraVerdictStore(session).write([], [], records=[record])
    row = session.execute(
        "SELECT ttl(record) AS left_seconds FROM fraudwatch.audit_by_day "
        "WHERE day = '2020-09-13' AND at = 1600000000000 AND record_id = %s",
        (record.record_id,),
    ).one()
    assert row["left_seconds"] > 399 * 86_400
