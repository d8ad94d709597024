from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fraudwatch.application.shadow.joining import (
    Join,
    Joined,
    PublishedVector,
    PublishedVerdict,
)
from fraudwatch.domain.shadow import NotCompared
from fraudwatch.samples import a_verdict

# Building a stream takes long on a machine that runs everything else as well.
patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Log(NamedTuple):
    """Three topics of one partition."""

    transactions: Sequence[tuple[int, bytes]]
    verdicts: Sequence[PublishedVerdict]
    vectors: Sequence[PublishedVector]


def name(source_offset: int) -> str:
    return f"shop:{source_offset}"


def verdict(offset: int, source_offset: int) -> PublishedVerdict:
    made = a_verdict(transaction_id=name(source_offset), source_offset=source_offset)
    return PublishedVerdict(offset, made, b"", 0)


def vector(offset: int, source_offset: int) -> PublishedVector:
    return PublishedVector(offset, name(source_offset), "v1", b"%d" % source_offset)


def log_of(scored: Sequence[int], transactions: int, *, gone: Sequence[int] = ()) -> Log:
    """Topics of this order of scoring, in which a crash repeats offsets."""
    vectors = [source_offset for source_offset in scored if source_offset not in gone]
    return Log(
        [(n, b"purchase %d" % n) for n in range(transactions)],
        [verdict(n, source_offset) for n, source_offset in enumerate(scored)],
        [vector(n, source_offset) for n, source_offset in enumerate(vectors)],
    )


def feed(join: Join, log: Log, order: Sequence[int], sizes: Sequence[int]) -> list[Joined]:
    """Feed the topics in parts, as the reader asks for them."""
    at, joined = [0, 0, 0], list[Joined]()
    for topic, size in zip([*order, *[0, 1, 2] * 40], [*sizes, *[9] * 120], strict=False):
        part = slice(at[topic], at[topic] + size)
        if topic == 0 and join.wants_verdicts:
            for published in log.verdicts[part]:
                join.add_verdict(published)
        elif topic == 1 and join.wants_vectors:
            for one in log.vectors[part]:
                join.add_vector(one)
        elif topic == 2 and join.wanted_transactions:
            for offset, message in log.transactions[part]:
                join.add_transaction(offset, message)
        else:
            continue
        at[topic] += size
        joined += join.take()
    return joined


def facts(joined: Sequence[Joined]) -> list[tuple[int, bytes, bytes, NotCompared | None]]:
    return [
        (
            one.published.verdict.source_offset,
            one.transaction,
            one.vector.vector if one.vector else b"",
            one.missing,
        )
        for one in joined
    ]


@st.composite
def logs(draw: st.DrawFn) -> tuple[Log, list[int]]:
    """Topics with refused purchases, and crashes after which the detector scores again."""
    transactions = draw(st.integers(1, 30))
    accepted = sorted(draw(st.sets(st.integers(0, transactions - 1), min_size=1)))
    scored, at = list[int](), 0
    for run in draw(st.lists(st.integers(1, 8), max_size=6)):
        scored += accepted[at : at + run]
        at = max(0, at + run - draw(st.integers(0, 4)))
    scored += accepted[at:]
    return log_of(scored, transactions), sorted(set(scored))


@patiently
@given(
    logs(),
    st.lists(st.integers(0, 2), max_size=60),
    st.lists(st.integers(1, 7), min_size=60, max_size=60),
)
def test_every_purchase_is_joined_once_whatever_arrives_first_and_in_what_parts(
    found: tuple[Log, list[int]], order: list[int], sizes: list[int]
) -> None:
    log, expected = found
    joined = feed(Join(max_verdicts=8, max_vectors=50), log, order, sizes)
    assert facts(joined) == [(n, b"purchase %d" % n, b"%d" % n, None) for n in expected]


@patiently
@given(logs(), st.integers(0, 30), st.lists(st.integers(1, 7), min_size=60, max_size=60))
def test_a_join_that_is_killed_continues_where_its_counts_end(
    found: tuple[Log, list[int]], counted: int, sizes: list[int]
) -> None:
    log, expected = found
    first = feed(Join(), log, [], [])[:counted]
    if not first:
        return
    last = first[-1]
    assert last.vector is not None
    rest = Log(
        log.transactions,
        log.verdicts[last.published.offset + 1 :],
        [one for one in log.vectors if one.offset > last.vector.offset],
    )
    second = feed(Join(last.published.verdict.source_offset), rest, [], sizes)
    offsets = [one.published.verdict.source_offset for one in (*first, *second)]
    assert offsets == expected
    assert not any(one.missing for one in second)


def test_a_vector_that_is_gone_is_reported_and_stops_nothing() -> None:
    joined = feed(Join(), log_of([0, 1, 2], 3, gone=[1]), [], [])
    assert [one.missing for one in joined] == [None, NotCompared.NO_VECTOR, None]


def test_a_transaction_that_is_gone_is_reported_and_stops_nothing() -> None:
    log = log_of([0, 1, 2], 3)
    without = log._replace(transactions=[log.transactions[0], log.transactions[2]])
    joined = feed(Join(), without, [], [])
    assert [one.missing for one in joined] == [None, NotCompared.NO_TRANSACTION, None]


def test_a_verdict_waits_for_a_vector_that_may_come_until_it_is_given_up() -> None:
    join, log = Join(), log_of([0, 1], 2, gone=[1])
    assert len(feed(join, log, [], [])) == 1
    assert join.take() == []
    assert [one.missing for one in join.give_up()] == [NotCompared.NO_VECTOR]
    assert join.give_up() == []


def test_vectors_of_no_verdict_do_not_fill_the_memory() -> None:
    join = Join(max_vectors=10)
    join.add_verdict(verdict(0, 500))
    for n in range(500):
        join.add_vector(vector(n, n))
    assert len(join._vectors) == 10
    join.add_vector(vector(500, 500))
    join.add_transaction(500, b"purchase")
    assert facts(join.take()) == [(500, b"purchase", b"500", None)]
