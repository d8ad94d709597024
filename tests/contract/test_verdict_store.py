"""Contract of verdict stores: memory twin and real Cassandra."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.console.alerts import alert_of
from fraudwatch.application.ports import AlertReader, RowsRefused, StoreUnavailable, VerdictStore
from fraudwatch.domain.messages.fields import columns_of
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.messages.transaction import Kind, Transaction
from fraudwatch.domain.messages.verdict import Outcome, Reason, Risk, Verdict
from fraudwatch.samples import a_token, a_transaction, a_verdict
from fraudwatch.settings import CassandraSettings

if TYPE_CHECKING:
    from cassandra.cluster import Session

    SessionOf = Callable[[str], Session]

CUSTOMER = a_token("a")


@dataclass(frozen=True)
class Stores:
    """A store under test, its reader, and a stretch of time that no other test writes into."""

    writer: VerdictStore
    reader: AlertReader
    now: datetime

    def seconds_ago(self, seconds: float) -> int:
        return int((self.now - timedelta(seconds=seconds)).timestamp() * 1_000)


# Each test gets days of its own, so that a shared engine never mixes their lists.
QUIET_DAYS = iter(random.sample(range(0, 8_000, 2), k=4_000))


def _quiet_instant() -> datetime:
    return datetime(2001, 1, 2, 12, 30, tzinfo=UTC) + timedelta(days=next(QUIET_DAYS))


@pytest.fixture(params=["memory", pytest.param("cassandra", marks=pytest.mark.engines)])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    if request.param == "memory":
        store = MemoryVerdictStore()
        yield Stores(store, store, _quiet_instant())
        return
    from fraudwatch.adapters.store.alerts import CassandraAlertReader
    from fraudwatch.adapters.store.verdict_store import CassandraVerdictStore

    session_of: SessionOf = request.getfixturevalue("session_of")
    writing, reading = session_of("persister"), session_of("console")
    yield Stores(CassandraVerdictStore(writing), CassandraAlertReader(reading), _quiet_instant())


def verdict(decided_at_ms: int, transaction_id: str | None = None, **changes: Any) -> Verdict:
    usual: dict[str, Any] = {
        "transaction_id": transaction_id or f"test:{uuid.uuid4().hex}",
        "score": 0.8125,
        "reasons": (Reason("velocity", 40, "5 purchases within a minute, “usually” 1."),),
        "source_offset": 2**40,
        "decided_at_ms": decided_at_ms,
        "event_at_ms": decided_at_ms - 120,
        "currency": "GBP",
    }
    return a_verdict(**usual | changes)


def transaction(event_at_ms: int, **changes: Any) -> Transaction:
    unknown = dict.fromkeys(c.name for c in columns_of(Transaction) if c.is_optional)
    usual = {"transaction_id": f"test:{uuid.uuid4().hex}", "event_at_ms": event_at_ms}
    return a_transaction(**unknown | usual | changes)


def test_a_verdict_is_read_back_as_written(stores: Stores) -> None:
    written = verdict(stores.seconds_ago(5.001))
    stores.writer.write([written], [transaction(written.event_at_ms)])
    assert stores.reader.verdict_of(written.transaction_id) == written
    assert stores.reader.latest(10, now=stores.now) == [alert_of(written)]


def test_unknown_stays_unknown(stores: Stores) -> None:
    written = verdict(
        stores.seconds_ago(1), category=None, merchant_country=None, card_last4=None, reasons=()
    )
    stores.writer.write([written], [])
    assert stores.reader.verdict_of(written.transaction_id) == written
    assert stores.reader.latest(1, now=stores.now) == [alert_of(written)]


def test_an_unscored_transaction_has_no_verdict(stores: Stores) -> None:
    assert stores.reader.verdict_of("test:never") is None
    assert stores.reader.latest(10, now=stores.now) == []


def test_writing_twice_changes_nothing(stores: Stores) -> None:
    rows = [verdict(stores.seconds_ago(age)) for age in range(30)]
    stores.writer.write(rows, [])
    stores.writer.write(rows, [])
    assert stores.reader.latest(100, now=stores.now) == [alert_of(row) for row in rows]
    assert stores.reader.count_since(stores.now - timedelta(minutes=1), now=stores.now) == 30


@pytest.mark.parametrize("later_comes_first", [False, True])
def test_the_later_decision_wins_whole(stores: Stores, *, later_comes_first: bool) -> None:
    earlier = verdict(stores.seconds_ago(60))
    later = verdict(
        stores.seconds_ago(30),
        earlier.transaction_id,
        outcome=Outcome.DECLINE,
        risk=Risk.CRITICAL,
        score=0.1,
        reasons=(Reason("a", 1, "A."),),
        policy_version="p0",
        source_offset=3,
        event_at_ms=earlier.event_at_ms,
    )
    for row in (later, earlier) if later_comes_first else (earlier, later):
        stores.writer.write([row], [])
    assert stores.reader.verdict_of(earlier.transaction_id) == later
    assert stores.reader.latest(10, now=stores.now) == [alert_of(later)]


def test_the_newest_come_first_over_hours_and_risks(stores: Stores) -> None:
    risks = [Risk.MEDIUM, Risk.HIGH, Risk.CRITICAL]
    rows = [
        verdict(stores.seconds_ago(age * 1_700), risk=risks[age % 3]) for age in range(50)
    ]  # nearly 24 hours
    stores.writer.write(random.sample(rows, k=50), [])
    found = stores.reader.latest(100, now=stores.now)
    assert found == [alert_of(row) for row in rows]


def test_no_more_than_the_limit_and_the_newest_of_them(stores: Stores) -> None:
    rows = [verdict(stores.seconds_ago(age * 100)) for age in range(60)]
    stores.writer.write(rows, [])
    assert stores.reader.latest(7, now=stores.now) == [alert_of(row) for row in rows[:7]]


def test_older_alerts_than_the_requested_hours_are_not_listed(stores: Stores) -> None:
    young, old = (verdict(stores.seconds_ago(age)) for age in (7_190, 7_210))
    stores.writer.write([young, old], [])
    assert stores.reader.latest(10, now=stores.now, hours=2) == [alert_of(young)]


def test_only_the_requested_risks_are_listed_and_counted(stores: Stores) -> None:
    rows = {risk: verdict(stores.seconds_ago(9), risk=risk) for risk in Risk}
    stores.writer.write(list(rows.values()), [])
    wanted = [Risk.CRITICAL]
    assert stores.reader.latest(9, now=stores.now, risks=wanted) == [alert_of(rows[Risk.CRITICAL])]
    minute_ago = stores.now - timedelta(minutes=1)
    assert stores.reader.count_since(minute_ago, now=stores.now, risks=wanted) == 1
    assert stores.reader.count_since(minute_ago, now=stores.now) == 3


def test_an_approval_is_no_alert(stores: Stores) -> None:
    approved = verdict(stores.seconds_ago(1), outcome=Outcome.APPROVE, risk=Risk.MEDIUM)
    stores.writer.write([approved], [])
    assert stores.reader.verdict_of(approved.transaction_id) == approved
    assert stores.reader.latest(10, now=stores.now) == []


def test_a_count_starts_at_its_instant(stores: Stores) -> None:
    stores.writer.write([verdict(stores.seconds_ago(age)) for age in (30, 59, 61, 4_000)], [])
    assert stores.reader.count_since(stores.now - timedelta(minutes=1), now=stores.now) == 2
    assert stores.reader.count_since(stores.now - timedelta(hours=1), now=stores.now) == 3


def test_alerts_between_two_instants_include_the_first_and_not_the_second(stores: Stores) -> None:
    ages = (0, 1, 1_800, 7_200, 7_201, 40_000)
    rows = [verdict(stores.seconds_ago(age)) for age in ages]
    stores.writer.write(random.sample(rows, k=len(rows)), [])
    since, until = stores.now - timedelta(seconds=7_200), stores.now - timedelta(seconds=1)
    found = stores.reader.decided_between(since, until, limit=10)
    assert found == [alert_of(rows[2]), alert_of(rows[3])]
    assert stores.reader.decided_between(since, until, limit=1) == [alert_of(rows[2])]
    assert stores.reader.decided_between(until, until, limit=9) == []


def test_alerts_between_two_instants_come_in_all_risks_and_once_a_verdict(
    stores: Stores,
) -> None:
    rows = [verdict(stores.seconds_ago(10 + n), risk=risk) for n, risk in enumerate(list(Risk)[1:])]
    again = verdict(stores.seconds_ago(5), rows[0].transaction_id)
    stores.writer.write([*rows, again], [])
    minute_ago = stores.now - timedelta(minutes=1)
    found = stores.reader.decided_between(minute_ago, stores.now, limit=10)
    assert found == [alert_of(row) for row in (again, *rows)]


@pytest.mark.parametrize("key", ["", "x" * 65_536], ids=["empty", "too_long"])
def test_rows_with_an_invalid_key_are_refused_and_all_others_written(
    stores: Stores, key: str
) -> None:
    good = [verdict(stores.seconds_ago(age)) for age in (1, 2, 3)]
    bad = replace(verdict(stores.seconds_ago(1)), transaction_id=key)
    worse = replace(verdict(stores.seconds_ago(2), outcome=Outcome.APPROVE), transaction_id=key)
    with pytest.raises(RowsRefused) as refusal:
        stores.writer.write([good[0], bad, *good[1:], worse], [])
    assert set(refusal.value.reasons) == {bad, worse}
    assert {reason[:11] for reason in refusal.value.reasons.values()} == {"its key is "}
    assert stores.reader.latest(10, now=stores.now) == [alert_of(row) for row in good]


def test_an_erasure_is_not_a_purchase(stores: Stores) -> None:
    erasure = transaction(stores.seconds_ago(1), kind=Kind.ERASE)
    with pytest.raises(RowsRefused, match="erase is not a purchase"):
        stores.writer.write([], [erasure])


def label(known_at_ms: int, transaction_id: str, **changes: Any) -> Label:
    usual = Label(
        schema=LABEL_SCHEMA,
        transaction_id=transaction_id,
        verdict=LabelValue.FRAUD,
        source=Source.ANALYST,
        by="a.moreno",
        known_at_ms=known_at_ms,
    )
    return replace(usual, **changes)


def test_all_labels_are_kept_and_the_latest_comes_first(stores: Stores) -> None:
    judged = verdict(stores.seconds_ago(9_000))
    labels = [
        label(
            stores.seconds_ago(10),
            judged.transaction_id,
            verdict=LabelValue.GENUINE,
            note="It was he.",
        ),
        label(stores.seconds_ago(20), judged.transaction_id, source=Source.CHARGEBACK, by="bank"),
        label(stores.seconds_ago(30), judged.transaction_id),
    ]
    stores.writer.write([judged], [], labels[::-1])
    stores.writer.write([], [], labels)
    # A verdict that is decided after all of it touches none of it, and none of it the verdict.
    again = verdict(stores.seconds_ago(1), judged.transaction_id)
    stores.writer.write([again], [])
    assert stores.reader.labels_of(judged.transaction_id) == labels
    assert stores.reader.verdict_of(judged.transaction_id) == again
    assert stores.reader.labels_of("test:never") == []


def test_two_labels_of_one_instant_are_one_whole_label(stores: Stores) -> None:
    name, at_ms = f"test:{uuid.uuid4().hex}", stores.seconds_ago(5)
    one = label(at_ms, name, note="No longer what is meant.")
    other = label(at_ms, name, verdict=LabelValue.GENUINE)
    stores.writer.write([], [], [other])
    stores.writer.write([], [], [one])
    assert stores.reader.labels_of(name) == [other]


@pytest.mark.engines
def test_transactions_lie_at_their_customer_with_the_event_time_as_write_time(
    session_of: SessionOf,
) -> None:
    from fraudwatch.adapters.store.verdict_store import CassandraVerdictStore

    session = session_of("persister")
    customer = f"0a1b2c3d_{uuid.uuid4().hex[:26]}"
    bought = [
        transaction(1_700_000_000_123 + n, customer_token=customer, sealed="c2VhbGVk", item_count=n)
        for n in range(45)
    ]
    store = CassandraVerdictStore(session)
    store.write([], bought)
    store.write([], bought)
    rows = session.execute(
        "SELECT transaction_id, purchase, event_at, writetime(purchase) AS written_at_us "
        "FROM fraudwatch.transaction_by_customer "
        "WHERE customer_token = %s AND month = %s",
        (customer, "2023-11"),
    ).all()
    assert [row["transaction_id"] for row in rows] == [t.transaction_id for t in bought[::-1]]
    newest, oldest = rows[0], rows[-1]
    assert decode(Transaction, newest["purchase"].encode()) == bought[-1]
    assert oldest["written_at_us"] == 1_700_000_000_123_000
    assert oldest["event_at"] == datetime(2023, 11, 14, 22, 13, 20, 123_000)  # noqa: DTZ001  naive UTC


@pytest.mark.engines
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE fraudwatch.verdict_by_transaction SET risk = 'LOW' WHERE transaction_id = 'test:1'",
        "TRUNCATE fraudwatch.alert_by_hour",
        (
            "DELETE FROM fraudwatch.transaction_by_customer "
            "WHERE customer_token = 'a' AND month = '2026-01'"
        ),
        "SELECT * FROM fraudwatch.alert_by_merchant LIMIT 1",
        "DELETE FROM fraudwatch.label_by_transaction WHERE transaction_id = 'test:1'",
        "DELETE FROM fraudwatch.label_by_day WHERE day = '2026-01-01'",
        "ALTER TABLE fraudwatch.claim WITH gc_grace_seconds = 0",
        "SELECT * FROM fraudwatch.schema_migration",
        "CREATE TABLE fraudwatch.own (a int PRIMARY KEY)",
        "SELECT * FROM system_auth.roles",
    ],
)
def test_the_console_may_only_read_its_tables(
    refused_to_the_console: Callable[[str], None], statement: str
) -> None:
    refused_to_the_console(statement)


@pytest.mark.engines
def test_a_wrong_password_is_named_as_such(cassandra_settings: CassandraSettings) -> None:
    from pydantic import SecretStr

    from fraudwatch.adapters.store.session import LoginRefused, connect

    wrong = SecretStr("not-the-password-of-anybody")
    with pytest.raises(LoginRefused, match="refuses"):
        connect(cassandra_settings.model_copy(update={"password": wrong}))


@pytest.mark.engines
def test_an_unreachable_store_is_unavailable(cassandra_settings: CassandraSettings) -> None:
    from fraudwatch.adapters.store.session import connect

    with pytest.raises(StoreUnavailable, match="does not answer"):
        connect(cassandra_settings.model_copy(update={"port": 1}))
