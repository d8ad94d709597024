"""Contract of the open alerts: an alert leaves them by a decision alone, in any order of rows."""

from __future__ import annotations

import itertools
import random
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.console.alerts import alert_of
from fraudwatch.application.console.casework import OpenAlertReader
from fraudwatch.application.ports import StoreUnavailable, VerdictStore
from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.messages.verdict import Outcome, Risk, Verdict
from fraudwatch.samples import a_verdict

if TYPE_CHECKING:
    from cassandra.cluster import Session

    SessionOf = Callable[[str], Session]

ALL = 1_000_000
NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Store:
    """Writer and reader under test; a shared engine has alerts of other tests too."""

    writer: VerdictStore
    reader: OpenAlertReader

    def open_ones(self, *verdicts: Verdict) -> list[str]:
        wanted = {verdict.transaction_id for verdict in verdicts}
        listed = [alert.transaction_id for alert in self.reader.open_alerts(ALL)]
        return [name for name in listed if name in wanted]


@pytest.fixture(params=["memory", pytest.param("cassandra", marks=pytest.mark.engines)])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        memory = MemoryVerdictStore()
        yield Store(memory, memory)
        return
    from fraudwatch.adapters.store.open_alerts import CassandraOpenAlerts
    from fraudwatch.adapters.store.verdict_store import CassandraVerdictStore

    session_of: SessionOf = request.getfixturevalue("session_of")
    writing, reading = session_of("persister"), session_of("console")
    yield Store(CassandraVerdictStore(writing), CassandraOpenAlerts(reading))


def an_alert(age_days: float = 0.0, **changes: Any) -> Verdict:
    decided_at_ms = epoch_ms_of(NOW - timedelta(days=age_days))
    usual = {"transaction_id": f"test:{uuid.uuid4().hex}", "decided_at_ms": decided_at_ms}
    return a_verdict(**usual | changes)


def label_of(alert: Verdict, after_ms: int = 60_000, **changes: Any) -> Label:
    usual: dict[str, Any] = {
        "schema": LABEL_SCHEMA,
        "transaction_id": alert.transaction_id,
        "verdict": LabelValue.FRAUD,
        "source": Source.ANALYST,
        "by": "ann",
        "known_at_ms": alert.decided_at_ms + after_ms,
    }
    return Label(**usual | changes)


def test_undecided_alerts_of_any_age_are_open_latest_first(store: Store) -> None:
    alerts = [an_alert(age) for age in (0.01, 1.5, 30, 95, 500)]
    alerts[1] = replace(alerts[1], risk=Risk.LOW)  # a policy may review it nevertheless
    approved = an_alert(outcome=Outcome.APPROVE, risk=Risk.LOW)
    store.writer.write(random.sample([*alerts, approved], k=6), [])
    assert store.open_ones(*alerts, approved) == [one.transaction_id for one in alerts]


def test_what_an_analyst_needs_is_in_the_row(store: Store) -> None:
    alert = an_alert(200, category=None, card_last4=None)
    store.writer.write([alert], [])
    assert alert_of(alert) in store.reader.open_alerts(ALL)
    assert store.reader.open_verdict(alert.transaction_id) == alert
    assert store.reader.open_verdict("test:never") is None


@pytest.mark.parametrize("truth", [LabelValue.FRAUD, LabelValue.GENUINE])
@pytest.mark.parametrize("source", Source)
def test_a_decision_and_a_chargeback_close_an_alert(
    store: Store, truth: LabelValue, source: Source
) -> None:
    alert, other = an_alert(100), an_alert(100)
    store.writer.write([alert, other], [])
    store.writer.write([], [], [label_of(alert, verdict=truth, source=source)])
    assert store.open_ones(alert, other) == [other.transaction_id]
    assert store.reader.open_verdict(alert.transaction_id) is None


def test_unsure_keeps_an_alert_open_and_reopens_none(store: Store) -> None:
    unsure, decided = an_alert(), an_alert()
    store.writer.write([unsure, decided], [])
    store.writer.write(
        [],
        [],
        [
            label_of(unsure, verdict=LabelValue.UNSURE),
            label_of(decided),
            label_of(decided, after_ms=90_000, verdict=LabelValue.UNSURE),
        ],
    )
    assert store.open_ones(unsure, decided) == [unsure.transaction_id]


@pytest.mark.parametrize("after_ms", [60_000, 0, -400 * DAY_MS])
def test_in_any_order_and_any_number_of_copies_a_decided_alert_is_closed(
    store: Store, after_ms: int
) -> None:
    """The verdict again, the label first, a label from before the verdict: never open again."""
    for order in itertools.product("vl", repeat=3):
        if {"v", "l"} <= set(order):
            alert = an_alert(1)
            label = label_of(alert, after_ms)
            for step in order:
                if step == "v":
                    store.writer.write([alert], [])
                else:
                    store.writer.write([], [], [label])
            assert store.open_ones(alert) == [], order
    together = an_alert(1)
    store.writer.write([together], [], [label_of(together, after_ms)])
    assert store.open_ones(together) == []


def test_an_alert_scored_again_after_its_decision_stays_closed(store: Store) -> None:
    alert = an_alert(3)
    again = replace(alert, decided_at_ms=alert.decided_at_ms + 2 * DAY_MS, risk=Risk.CRITICAL)
    store.writer.write([alert], [])
    store.writer.write([], [], [label_of(alert)])
    store.writer.write([again], [])
    assert store.open_ones(alert) == []


def test_an_alert_scored_twice_is_listed_once_by_its_later_verdict_and_closed_once(
    store: Store,
) -> None:
    alert = an_alert(3)
    again = replace(alert, decided_at_ms=alert.decided_at_ms + 2 * DAY_MS, risk=Risk.CRITICAL)
    store.writer.write([again, alert], [])
    assert store.open_ones(alert) == [alert.transaction_id]
    assert alert_of(again) in store.reader.open_alerts(ALL)
    assert store.reader.open_verdict(alert.transaction_id) == again
    store.writer.write([], [], [label_of(again)])
    assert store.open_ones(alert) == []


def test_of_too_many_the_highest_risk_is_kept(store: Store) -> None:
    critical = [an_alert(900, risk=Risk.CRITICAL) for _ in range(2)]
    store.writer.write([*critical, *(an_alert(risk=Risk.MEDIUM) for _ in range(3))], [])
    limited = store.reader.open_alerts(
        sum(one.risk is Risk.CRITICAL for one in store.reader.open_alerts(ALL))
    )
    assert {one.transaction_id for one in critical} <= {one.transaction_id for one in limited}
    assert {one.risk for one in limited} == {Risk.CRITICAL}


def test_an_unavailable_twin_raises() -> None:
    memory = MemoryVerdictStore()
    memory.is_reachable = False
    with pytest.raises(StoreUnavailable):
        memory.open_alerts(1)


@pytest.mark.engines
def test_without_its_tombstone_an_alert_written_again_is_closed_by_its_label(
    session_of: SessionOf,
) -> None:
    """A tombstone is dropped a day later; here it never existed."""
    from fraudwatch.adapters.store.binding import insert_of
    from fraudwatch.adapters.store.open_alerts import CassandraOpenAlerts
    from fraudwatch.adapters.store.rows import LABELS
    from fraudwatch.adapters.store.verdict_store import CassandraVerdictStore

    session, alert = session_of("persister"), an_alert(2)
    prepared = session.prepare(insert_of(LABELS))
    session.execute(prepared, LABELS.row(label_of(alert)))
    CassandraVerdictStore(session).write([alert], [])
    assert CassandraOpenAlerts(session_of("console")).open_verdict(alert.transaction_id) is None


@pytest.mark.engines
def test_alerts_of_before_the_table_are_added_once_unless_decided(session_of: SessionOf) -> None:
    from fraudwatch.adapters.store.binding import insert_of
    from fraudwatch.adapters.store.open_alerts import CassandraOpenAlerts, fill_once
    from fraudwatch.adapters.store.rows import ALERTS, VERDICTS
    from fraudwatch.adapters.store.verdict_store import CassandraVerdictStore

    session, now = session_of("persister"), datetime.now(UTC)
    writer, reader = CassandraVerdictStore(session), CassandraOpenAlerts(session_of("console"))
    mine = Store(writer, reader)
    at_ms = epoch_ms_of(now)
    old, decided, newer = (
        an_alert(decided_at_ms=at_ms - days * DAY_MS, event_at_ms=at_ms) for days in (80, 2, 0)
    )
    for verdict in (old, decided, newer):  # as code of before the table wrote them
        session.execute(session.prepare(insert_of(VERDICTS)), VERDICTS.row(verdict))
        session.execute(session.prepare(insert_of(ALERTS)), ALERTS.row(alert_of(verdict)))
    writer.write([], [], [label_of(decided, -1)])
    # The persister of this stack has filled the table at its start.
    assert fill_once(session, writer, now) == 0
    session.execute("DELETE FROM fraudwatch.open_alert_fill WHERE name = 'alert_by_hour'")
    assert fill_once(session, writer, now) >= 3
    assert mine.open_ones(old, decided, newer) == [newer.transaction_id, old.transaction_id]
    assert fill_once(session, writer, now) == 0


@pytest.mark.engines
def test_ten_thousand_open_alerts_are_read_within_the_queues_time(session_of: SessionOf) -> None:
    """Print how long the queue's query takes: over many days, and among as many tombstones."""
    from fraudwatch.adapters.store.open_alerts import CassandraOpenAlerts
    from fraudwatch.adapters.store.verdict_store import CassandraVerdictStore

    writer = CassandraVerdictStore(session_of("persister"))
    store = Store(writer, CassandraOpenAlerts(session_of("console")))
    risks = (Risk.CRITICAL, Risk.HIGH, Risk.MEDIUM)
    alerts = [an_alert(n % 120 + n / 1e6, risk=risks[n % 3]) for n in range(10_000)]
    began = time.perf_counter()
    writer.write(alerts, [])
    written_seconds = time.perf_counter() - began

    def measured(expected: int) -> float:
        took = []
        for _ in range(5):
            began = time.perf_counter()
            listed = store.reader.open_alerts(20_000)
            took.append(time.perf_counter() - began)
        names = {alert.transaction_id for alert in listed}
        assert sum(one.transaction_id in names for one in alerts) == expected
        return sorted(took)[2]

    full_seconds = measured(10_000)
    for start in range(0, 10_000, 1_000):
        writer.write([], [], [label_of(one) for one in alerts[start : start + 1_000]])
    empty_seconds = measured(0)
    print(  # noqa: T201  the result of this measurement
        f"\n10,000 open alerts over 120 days: written in {written_seconds:.1f} s, read in "
        f"{full_seconds * 1_000:.0f} ms; all decided: {empty_seconds * 1_000:.0f} ms"
    )
    assert full_seconds < 5
    assert empty_seconds < 2
