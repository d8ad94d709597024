"""Contract of tally stores: memory twin and real Cassandra."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fraudwatch.adapters.memory.tallies import MemoryTallyStore
from fraudwatch.application.console.casework import TallyReader
from fraudwatch.application.console.tallying import MAX_CHANGED_ROWS, Tallying, TallyStore
from fraudwatch.domain.messages.verdict import Outcome, Reason, Risk, Verdict
from fraudwatch.domain.tally import (
    LONGEST_VALUE,
    NOTHING_COUNTED,
    Counted,
    Counts,
    Dimension,
    Tally,
)
from fraudwatch.samples import a_verdict

if TYPE_CHECKING:
    from cassandra.cluster import Session

    SessionOf = Callable[[str], Session]

ALL = Dimension.ALL, ""
# Each test gets days of its own, so that a shared engine never mixes their counts.
QUIET_DAYS = iter(random.sample(range(0, 8_000, 4), k=2_000))


@dataclass(frozen=True)
class Tallies:
    """A store under test, its reader, and a day that no other test writes into."""

    store: TallyStore
    reader: TallyReader
    today: date

    @property
    def day(self) -> str:
        return self.today.isoformat()

    def verdict(self, offset: int, **changes: Any) -> Verdict:
        at = datetime(self.today.year, self.today.month, self.today.day, 7, 30, tzinfo=UTC)
        usual = {"source_offset": offset, "event_at_ms": int(at.timestamp()) * 1_000}
        return a_verdict(**usual | changes)

    def read(self, *days_ago: int) -> dict[tuple[str, str], Tally]:
        days = [self.today - timedelta(days=ago) for ago in days_ago or (0,)]
        return {(t.dimension, t.value): t for t in self.reader.tallies(days)}


@pytest.fixture(params=["memory", pytest.param("cassandra", marks=pytest.mark.engines)])
def tallies(request: pytest.FixtureRequest) -> Iterator[Tallies]:
    today = date(2001, 1, 2) + timedelta(days=next(QUIET_DAYS))
    if request.param == "memory":
        twin = MemoryTallyStore()
        yield Tallies(twin, twin, today)
        return
    from fraudwatch.adapters.store.tallies import CassandraTallies, CassandraTallyStore

    session_of: SessionOf = request.getfixturevalue("session_of")
    writing, reading = session_of("tally"), session_of("console")
    yield Tallies(CassandraTallyStore(writing), CassandraTallies(reading), today)


def saved(tallies: Tallies, *verdicts: Verdict) -> None:
    tallying = Tallying(tallies.store)
    for verdict in verdicts:
        tallying.count(verdict)
    tallying.flush()


def test_an_uncounted_day_is_empty(tallies: Tallies) -> None:
    assert tallies.store.load(tallies.day, 0) == Counted(tallies.day, 0)
    assert tallies.store.load(tallies.day, 0).until == NOTHING_COUNTED
    assert tallies.read() == {}
    assert tallies.reader.tallies([]) == []


def test_counts_are_read_back_as_saved(tallies: Tallies) -> None:
    counted = Counted(tallies.day, 1)
    for offset, (outcome, risk) in enumerate(
        [
            (Outcome.APPROVE, Risk.LOW),
            (Outcome.REVIEW, Risk.MEDIUM),
            (Outcome.REVIEW, Risk.HIGH),
            (Outcome.DECLINE, Risk.CRITICAL),
        ]
    ):
        counted.add(tallies.verdict(2**40 + offset, outcome=outcome, risk=risk, category=None))
    tallies.store.save(counted)
    found = tallies.store.load(tallies.day, 1)
    assert (found.until, found.rows) == (2**40 + 3, counted.rows)
    assert found.changed == set()
    assert found.rows[ALL] == Counts(
        purchases=4,
        amount_eur_cents=480_000,
        medium=1,
        high=1,
        critical=1,
        declined=1,
        alerts_amount_eur_cents=360_000,
        declined_amount_eur_cents=120_000,
    )


def test_a_tally_is_the_sum_over_partitions(tallies: Tallies) -> None:
    saved(
        tallies,
        tallies.verdict(10, source_partition=0, merchant_id="m-1"),
        tallies.verdict(3, source_partition=1, merchant_id="m-2"),
        tallies.verdict(4, source_partition=1, merchant_id="m-1", outcome=Outcome.APPROVE),
    )
    found = tallies.read()
    assert found["all", ""] == Tally(
        day=tallies.day,
        dimension=Dimension.ALL,
        value="",
        purchases=3,
        amount_eur_cents=360_000,
        high=2,
        alerts_amount_eur_cents=240_000,
    )
    assert (found["merchant", "m-1"].purchases, found["merchant", "m-2"].purchases) == (2, 1)
    assert found["hour", "07"].purchases == 3


def test_only_the_requested_days_are_returned(tallies: Tallies) -> None:
    day_ms = 86_400_000
    noon_ms = tallies.verdict(0).event_at_ms
    saved(
        tallies,
        *(tallies.verdict(n, event_at_ms=noon_ms - n * day_ms, reasons=()) for n in range(3)),
    )
    days = {tally.day for tally in tallies.reader.tallies([tallies.today, tallies.today])}
    assert days == {tallies.day}
    assert len(tallies.reader.tallies([tallies.today])) == 5
    two = tallies.reader.tallies([tallies.today - timedelta(days=n) for n in (1, 2)])
    assert {tally.day for tally in two} == {
        (tallies.today - timedelta(days=n)).isoformat() for n in (1, 2)
    }


def test_unknown_has_a_row_of_its_own(tallies: Tallies) -> None:
    saved(tallies, tallies.verdict(1, merchant_country=None, category=None))
    found = tallies.read()
    assert (found["country", ""].purchases, found["category", ""].purchases) == (1, 1)


def test_only_changed_rows_are_written_and_the_others_stay(tallies: Tallies) -> None:
    saved(tallies, tallies.verdict(1, merchant_id="m-1"))
    saved(tallies, tallies.verdict(2, merchant_id="m-2"), tallies.verdict(1, merchant_id="m-1"))
    found = tallies.read()
    assert (found["merchant", "m-1"].purchases, found["all", ""].purchases) == (1, 2)


def test_saving_twice_changes_nothing(tallies: Tallies) -> None:
    counted = Counted(tallies.day, 0)
    counted.add(tallies.verdict(5))
    tallies.store.save(counted)
    tallies.store.save(counted)
    assert tallies.read()["all", ""].purchases == 1


def test_the_state_further_on_wins_in_any_order_of_saves(tallies: Tallies) -> None:
    behind, ahead = Counted(tallies.day, 0), Counted(tallies.day, 0)
    for offset in range(4):
        ahead.add(tallies.verdict(offset, merchant_id=f"m-{offset}"))
    for offset in range(2):
        behind.add(tallies.verdict(offset, merchant_id=f"m-{offset}"))
    tallies.store.save(replace(ahead, changed={key for key in ahead.changed if key[1] != "m-0"}))
    tallies.store.save(behind)
    found = tallies.store.load(tallies.day, 0)
    assert (found.until, found.rows) == (3, ahead.rows)


def test_a_day_that_goes_on_in_a_topic_made_anew_counts_its_first_offsets(
    tallies: Tallies,
) -> None:
    for topic_id, offsets in (("", (7, 900)), ("old", (900, 901)), ("new", (0, 1, 1_500))):
        tallying = Tallying(tallies.store)
        tallying.topic_id = topic_id
        for offset in (*offsets, offsets[-1]):  # the last one is scored twice
            tallying.count(tallies.verdict(offset))
        tallying.flush()
    found = tallies.store.load(tallies.day, 0)
    assert (found.topic_id, found.before, found.until) == ("new", 902, 1_500)
    assert found.rows[ALL].purchases == 6
    by_topic = {v: n.purchases for (d, v), n in found.rows.items() if d is Dimension.TOPIC}
    assert by_topic == {"0 old": 1, "902 new": 3}, "the day of before ids adopted the first one"


def test_the_biggest_possible_save_is_atomic(tallies: Tallies) -> None:
    rules = tuple(Reason(f"rule-{n}", 1, "R.") for n in range(12))
    long = "\U0001f4b6" * (LONGEST_VALUE - 4)
    counted = Counted(tallies.day, 0)
    offset = 0
    while len(counted.changed) < MAX_CHANGED_ROWS + len(rules):
        counted.add(
            tallies.verdict(
                offset, merchant_id=f"{offset:04d}{long}", reasons=rules, outcome=Outcome.DECLINE
            )
        )
        offset += 1
    tallies.store.save(counted)
    found = tallies.store.load(tallies.day, 0)
    assert (found.until, found.rows) == (counted.until, counted.rows)


def test_many_rows_of_a_day_are_read_back_whole(tallies: Tallies) -> None:
    saved(tallies, *(tallies.verdict(n, merchant_id=f"m-{n}") for n in range(6_000)))
    found = tallies.read()
    assert sum(name == "merchant" for name, _ in found) == 6_000
    assert found["all", ""].purchases == 6_000


@pytest.mark.engines
@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("console", "DELETE FROM fraudwatch.tally_by_day WHERE day = 'x' AND source_partition = 0"),
        ("tally", "ALTER TABLE fraudwatch.tally_by_day ADD remark text"),
        ("tally", "SELECT * FROM fraudwatch.verdict_by_transaction LIMIT 1"),
        ("persister", "SELECT * FROM fraudwatch.tally_by_day LIMIT 1"),
    ],
)
def test_each_role_has_only_the_rights_on_tallies_that_it_needs(
    session_of: SessionOf, role: str, statement: str
) -> None:
    from cassandra import Unauthorized

    from fraudwatch.application.ports import StoreUnavailable

    session = session_of(role)
    with pytest.raises((Unauthorized, StoreUnavailable)):
        session.execute(statement)


@pytest.mark.engines
def test_zero_has_no_cell_and_the_offset_is_the_write_timestamp(session_of: SessionOf) -> None:
    from fraudwatch.adapters.store.tallies import CassandraTallyStore

    day = date(2001, 1, 2) + timedelta(days=next(QUIET_DAYS))
    session = session_of("tally")
    counted = Counted(day.isoformat(), 0)
    counted.add(a_verdict(source_offset=41, outcome=Outcome.APPROVE, risk=Risk.LOW))
    CassandraTallyStore(session).save(counted)
    rows = session.execute(
        "SELECT medium, writetime(purchases) AS row_us, writetime(counted_until) AS until_us "
        "FROM fraudwatch.tally_by_day WHERE day = %s AND source_partition = 0",
        (day.isoformat(),),
    ).all()
    assert {(row["medium"], row["row_us"], row["until_us"]) for row in rows} == {(None, 42, 42)}
