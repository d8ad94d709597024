from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraudwatch.adapters.memory.tallies import MemoryTallyStore
from fraudwatch.application.console.tallying import Tallying
from fraudwatch.domain.instants import day_of
from fraudwatch.domain.messages.verdict import Outcome, Reason, Risk, Verdict
from fraudwatch.domain.tally import (
    LONGEST_VALUE,
    Counted,
    Counts,
    Dimension,
    Tally,
    is_countable,
    tallies_of,
)
from fraudwatch.samples import NOON_MS, a_verdict

DAY_MS = 86_400_000
EVERY_DAY = [date(2026, 1, day) for day in range(12, 16)]


def counted_of(*verdicts: Verdict) -> dict[tuple[Dimension, str], Tally]:
    counted = Counted("2026-01-15", 0)
    for verdict in verdicts:
        counted.add(verdict)
    return {(tally.dimension, tally.value): tally for tally in tallies_of([counted])}


def test_an_alert_counts_under_each_of_its_values() -> None:
    rules = (Reason("far", 60, "F."), Reason("new", 5, "N."), Reason("far", 1, "Again."))
    verdict = a_verdict(reasons=rules, outcome=Outcome.DECLINE, risk=Risk.CRITICAL)
    found = counted_of(verdict)
    assert set(found) == {
        (Dimension.ALL, ""),
        (Dimension.COUNTRY, "DE"),
        (Dimension.MERCHANT, "merchant-1"),
        (Dimension.CATEGORY, "electronics"),
        (Dimension.HOUR, "12"),
        (Dimension.RULE, "far"),
        (Dimension.RULE, "new"),
    }
    for (dimension, value), tally in found.items():
        assert tally == Tally(
            day="2026-01-15",
            dimension=dimension,
            value=value,
            purchases=1,
            amount_eur_cents=120_000,
            critical=1,
            declined=1,
            alerts_amount_eur_cents=120_000,
            declined_amount_eur_cents=120_000,
        )


def test_unknown_country_and_category_have_a_row_of_their_own() -> None:
    found = counted_of(a_verdict(merchant_country=None, category=None, reasons=()))
    assert found[Dimension.COUNTRY, ""].purchases == 1
    assert found[Dimension.CATEGORY, ""].purchases == 1
    assert Dimension.RULE not in {dimension for dimension, _ in found}


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"outcome": Outcome.APPROVE, "risk": Risk.HIGH}, (0, 0, 0, 0, 0, 0)),
        ({"outcome": Outcome.REVIEW, "risk": Risk.LOW}, (0, 0, 0, 0, 0, 0)),
        ({"outcome": Outcome.REVIEW, "risk": Risk.MEDIUM}, (1, 0, 0, 0, 120_000, 0)),
        ({"outcome": Outcome.DECLINE, "risk": Risk.HIGH}, (0, 1, 0, 1, 120_000, 120_000)),
        ({"outcome": Outcome.REVIEW, "risk": Risk.CRITICAL}, (0, 0, 1, 0, 120_000, 0)),
    ],
)
def test_an_alert_is_not_approved_and_above_low(
    changes: dict[str, Any], wanted: tuple[int, ...]
) -> None:
    tally = counted_of(a_verdict(**changes))[Dimension.ALL, ""]
    assert (tally.purchases, tally.amount_eur_cents) == (1, 120_000)
    assert (
        tally.medium,
        tally.high,
        tally.critical,
        tally.declined,
        tally.alerts_amount_eur_cents,
        tally.declined_amount_eur_cents,
    ) == wanted
    assert tally.alerts == sum(wanted[:3])


def test_a_counted_verdict_is_not_counted_again() -> None:
    counted = Counted("2026-01-15", 0)
    assert [counted.add(a_verdict(source_offset=o)) for o in (4, 7, 4, 7, 9, 5)] == [
        True,
        True,
        False,
        False,
        True,
        False,
    ]
    assert counted.until == 9
    assert counted.rows[Dimension.ALL, ""].purchases == 3


def test_the_very_first_message_of_a_log_is_counted() -> None:
    assert Counted("2026-01-15", 0).add(a_verdict(source_offset=0))


def test_days_are_utc() -> None:
    assert day_of(1_701_388_799_999) == "2023-11-30"
    assert day_of(1_701_388_800_000) == "2023-12-01"


@pytest.mark.parametrize(
    "changes",
    [
        {"merchant_id": "m" * (LONGEST_VALUE + 1)},
        {"category": "c" * (LONGEST_VALUE + 1)},
        {"reasons": (Reason("r" * (LONGEST_VALUE + 1), 1, ""),)},
        {"event_at_ms": 10**17},
        {"event_at_ms": -1},
    ],
)
def test_values_out_of_bounds_are_not_countable(changes: dict[str, Any]) -> None:
    assert is_countable(a_verdict(merchant_id="m" * LONGEST_VALUE))
    assert not is_countable(a_verdict(**changes))


def test_counts_are_the_numbers_of_a_tally() -> None:
    places = {"day", "dimension", "value"}
    assert [item.name for item in fields(Tally) if item.name not in places] == list(Counts._fields)


# --- any history of crashes gives the counts of the distinct verdicts, each once ----------------

OUTCOMES = [
    (Outcome.APPROVE, Risk.LOW),
    (Outcome.REVIEW, Risk.MEDIUM),
    (Outcome.DECLINE, Risk.CRITICAL),
]


def a_log(rng: random.Random, size: int) -> list[Verdict]:
    """A partition's verdicts in order, some offsets without one, events up to three days late."""
    offsets = sorted(rng.sample(range(2 * size), size))
    partition = rng.randrange(2)
    return [
        a_verdict(
            transaction_id=f"shop:{partition}-{offset}",
            source_partition=partition,
            source_offset=offset,
            event_at_ms=NOON_MS - rng.randrange(4) * DAY_MS,
            merchant_id=f"m-{rng.randrange(6)}",
            amount_eur_cents=rng.randrange(1_000),
            outcome=outcome,
            risk=risk,
        )
        for offset in offsets
        for outcome, risk in [rng.choice(OUTCOMES)]
    ]


def as_written(rng: random.Random, log: list[Verdict]) -> list[Verdict]:
    """Write micro-batches to the topic; some are cut by a crash before their replay."""
    written: list[Verdict] = []
    start = 0
    while start < len(log):
        batch = log[start : start + rng.randint(1, 7)]
        while rng.random() < 0.3:
            written += batch[: rng.randint(0, len(batch))]
        written += batch
        start += len(batch)
    return written


def by_value(tallies: Sequence[Tally]) -> dict[tuple[str, str, str], Tally]:
    return {(t.day, t.dimension, t.value): t for t in tallies}


def counted_once(log: list[Verdict]) -> dict[tuple[str, str, str], Tally]:
    """Brute force: each verdict by itself, then all of them added up."""
    alone = [Counted(day_of(verdict.event_at_ms), place) for place, verdict in enumerate(log)]
    for counted, verdict in zip(alone, log, strict=True):
        assert counted.add(verdict)
    return by_value(tallies_of(alone))


def reads(rng: random.Random, written: list[Verdict]) -> Iterator[tuple[list[Verdict], str]]:
    """Chunks as a consumer gets them, each with what becomes of it."""
    committed = 0
    while committed < len(written):
        chunk = written[committed : committed + rng.randint(1, 9)]
        fate = rng.choice(["committed", "committed", "killed before saving", "killed after saving"])
        yield chunk, fate
        if fate == "committed":
            committed += len(chunk)
        elif rng.random() < 0.3:
            committed = max(0, committed - rng.randint(0, 12))  # an operator set the group back


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), size=st.integers(1, 60))
def test_any_order_of_reads_counts_each_verdict_once(seed: int, size: int) -> None:
    rng = random.Random(seed)
    log = a_log(rng, size)
    store = MemoryTallyStore()
    few = {"max_changed_rows": rng.randint(1, 12), "max_cached_rows": rng.randint(1, 40)}
    tallying = Tallying(store, **few)
    for chunk, fate in reads(rng, as_written(rng, log)):
        for verdict in chunk:
            tallying.count(verdict)
        if fate != "killed before saving":
            tallying.flush()
        if fate != "committed":
            tallying = Tallying(store, **few)
    assert by_value(store.tallies(EVERY_DAY)) == counted_once(log)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_late_write_of_a_replaced_process_spoils_nothing(seed: int) -> None:
    rng = random.Random(seed)
    log = a_log(rng, 40)
    written = as_written(rng, log)
    store = MemoryTallyStore()
    both = [Tallying(store, max_changed_rows=4), Tallying(store, max_changed_rows=9)]
    at = [0, 0]
    while min(at) < len(written):
        who = rng.randrange(2)
        step = rng.randint(1, 8)
        for verdict in written[at[who] : at[who] + step]:
            both[who].count(verdict)
        at[who] += step
        if rng.random() < 0.5:
            both[who].flush()
    for tallying in both:
        tallying.flush()
    assert by_value(store.tallies(EVERY_DAY)) == counted_once(log)
