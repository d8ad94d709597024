"""Contract of comparison stores: memory twin and real Cassandra."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from fraudwatch.adapters.memory.shadow import MemoryShadowStore
from fraudwatch.application.shadow.comparing import (
    MAX_CHANGED_ROWS,
    CandidateOutcome,
    Comparing,
    ShadowReader,
    ShadowRow,
    ShadowStore,
)
from fraudwatch.domain.messages.verdict import Outcome, Reason, Risk, Verdict
from fraudwatch.domain.shadow import (
    EXAMPLE_PLACES,
    Compared,
    Comparison,
    NotCompared,
    ShadowDimension,
    ShadowPosition,
    summed,
)
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.samples import NOON_MS, a_verdict

if TYPE_CHECKING:
    from cassandra.cluster import Session

    SessionOf = Callable[[str], Session]


@dataclass(frozen=True)
class Place:
    """A store under test, its reader, and a comparison that no other test writes into."""

    store: ShadowStore
    reader: ShadowReader
    comparison: Comparison

    @property
    def name(self) -> str:
        return self.comparison.comparison_id

    def counts(self) -> dict[tuple[str, str, str], tuple[int, int]]:
        found = summed(self.reader.progress(self.comparison).counted)
        return {tuple(key): tuple(counts) for key, counts in found.items()}  # type: ignore[misc]

    def count(self, *rows: ShadowRow, partition: int = 0) -> int:
        return Comparing(self.store, self.store.load(self.name, partition)).count(rows)


@pytest.fixture(params=["memory", pytest.param("cassandra", marks=pytest.mark.engines)])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    comparison = Comparison(
        comparison_id=uuid.uuid4().hex[:12],
        started_at_ms=NOON_MS + random.randrange(10**9),
        from_at_ms=NOON_MS,
        started_by="operator",
        policy_version="2026-11-21+1f3a9c04",
    )
    if request.param == "memory":
        twin = MemoryShadowStore()
        yield Place(twin, twin, comparison)
        return
    from fraudwatch.adapters.store.shadow import CassandraShadowReader, CassandraShadowStore

    session_of: SessionOf = request.getfixturevalue("session_of")
    writing, reading = session_of("shadow"), session_of("console")
    yield Place(CassandraShadowStore(writing), CassandraShadowReader(reading), comparison)


def a_row(offset: int, candidate: Outcome | NotCompared, **changes: Any) -> ShadowRow:
    live = a_verdict(
        **{"transaction_id": f"shop:{offset}", "source_offset": offset, "amount_eur_cents": 100}
        | changes
    )
    if isinstance(candidate, NotCompared):
        return ShadowRow(Compared(live, candidate), offset * 10, None)
    reasons = (Reason("card_testing", 50, "Cards are tested."),)
    other: Verdict = replace(live, outcome=candidate, risk=Risk.CRITICAL, score=0.9)
    if candidate is not live.outcome:
        other = replace(other, reasons=reasons)
    return ShadowRow(Compared(live, other), offset * 10, offset * 20)


def test_nothing_is_known_of_a_new_comparison(place: Place) -> None:
    assert place.counts() == {}
    assert place.reader.examples(place.name) == []
    assert place.reader.outcomes(place.name, {"shop:1"}) == {}
    assert place.store.load(place.name, 0).position == ShadowPosition()


def test_the_newest_comparison_is_first(place: Place) -> None:
    place.store.begin(place.comparison)
    later = replace(
        place.comparison,
        comparison_id=uuid.uuid4().hex[:12],
        started_at_ms=place.comparison.started_at_ms + 1,
        policy_version=None,
        model_version="0123456789ab",
    )
    place.store.begin(later)
    place.store.begin(place.comparison)
    found = [one for one in place.reader.comparisons(1_000) if one in {place.comparison, later}]
    assert found == [later, place.comparison]
    assert len(place.reader.comparisons(1)) == 1


def test_purchases_are_counted_by_pair_reason_and_versions(place: Place) -> None:
    rows = [a_row(1, Outcome.DECLINE), a_row(2, Outcome.DECLINE), a_row(5, Outcome.REVIEW)]
    assert place.count(*rows) == 3
    day, pair = "2026-01-15", str(ShadowDimension.PAIR)
    assert place.counts() == {
        (day, pair, "review/HIGH>decline/CRITICAL"): (2, 200),
        (day, pair, "review/HIGH>review/CRITICAL"): (1, 100),
        (day, "live_reason", "high_amount"): (2, 200),
        (day, "candidate_reason", "card_testing"): (2, 200),
        (day, "live_versions", "test none"): (3, 300),
        (day, "candidate_versions", "test none"): (3, 300),
    }
    assert place.store.load(place.name, 0).position == ShadowPosition(5, 1, 51, 101)


def test_the_ids_of_the_topics_are_kept_with_the_counts(place: Place) -> None:
    ids = "fraud_topic=f-1 feature_topic=v_1 transaction_topic=t1"
    counted = place.store.load(place.name, 0)
    assert counted.topics == ""
    counted.topics = ids
    Comparing(place.store, counted).count([a_row(1, Outcome.DECLINE), a_row(2, Outcome.REVIEW)])
    assert place.store.load(place.name, 0).topics == ids
    assert place.counts()["2026-01-15", "topics", ids] == (2, 200)


def test_a_copy_counts_nothing(place: Place) -> None:
    rows = [a_row(1, Outcome.DECLINE), a_row(2, Outcome.REVIEW)]
    place.count(*rows)
    before = place.counts()
    assert place.count(*rows) == 0
    assert place.count(*rows, a_row(3, Outcome.REVIEW)) == 1
    assert place.counts() != before


def test_partitions_are_summed_and_have_own_positions(place: Place) -> None:
    place.count(a_row(7, Outcome.DECLINE))
    place.count(a_row(1, Outcome.DECLINE, source_partition=1), partition=1)
    pairs = {key[2]: n for key, n in place.counts().items() if key[1] == "pair"}
    assert pairs == {"review/HIGH>decline/CRITICAL": (2, 200)}
    progress = place.reader.progress(place.comparison)
    assert progress.covers(a_verdict(source_offset=7))
    assert not progress.covers(a_verdict(source_offset=6))
    assert progress.covers(a_verdict(source_offset=1, source_partition=1))
    assert not progress.covers(a_verdict(source_offset=2, source_partition=1))


def test_many_days_are_saved_in_parts_and_whole(place: Place) -> None:
    days = MAX_CHANGED_ROWS
    rows = [a_row(n, Outcome.DECLINE, event_at_ms=NOON_MS - n * DAY_MS) for n in range(days)]
    assert place.count(*rows) == days
    pairs = {key[0]: n for key, n in place.counts().items() if key[1] == "pair"}
    assert len(pairs) == days
    assert set(pairs.values()) == {(1, 100)}


def test_the_state_that_has_counted_further_wins(place: Place) -> None:
    behind = place.store.load(place.name, 0)
    place.count(a_row(1, Outcome.REVIEW), a_row(2, Outcome.REVIEW))
    row = a_row(1, Outcome.REVIEW)
    behind.add(row.compared, verdict_offset=row.verdict_offset, vector_offset=row.vector_offset)
    place.store.save(behind)
    pair = ("2026-01-15", "pair", "review/HIGH>review/CRITICAL")
    assert place.counts()[pair] == (2, 200)
    assert place.store.load(place.name, 0).position.source_offset == 2


def test_alerts_have_the_candidates_outcome_and_what_is_not_compared_none(place: Place) -> None:
    approved = {"outcome": Outcome.APPROVE, "risk": Risk.LOW}
    place.count(
        a_row(1, Outcome.APPROVE, **approved),
        a_row(2, Outcome.DECLINE, **approved),
        a_row(3, Outcome.APPROVE),
        a_row(4, NotCompared.NO_VECTOR, **approved),
    )
    assert place.reader.outcomes(place.name, {f"shop:{n}" for n in range(9)}) == {
        "shop:2": CandidateOutcome(Outcome.DECLINE, Risk.CRITICAL),
        "shop:3": CandidateOutcome(Outcome.APPROVE, Risk.CRITICAL),
        "shop:4": None,
    }
    assert place.counts()["2026-01-15", "not_compared", "no_vector"] == (1, 100)


def test_examples_are_those_that_differ_newest_first(place: Place) -> None:
    place.count(
        a_row(1, Outcome.DECLINE, event_at_ms=NOON_MS),
        a_row(2, Outcome.REVIEW),
        a_row(3, Outcome.CHALLENGE, event_at_ms=NOON_MS + 1_000),
    )
    place.count(a_row(9, Outcome.DECLINE, source_partition=1, event_at_ms=NOON_MS - 5), partition=1)
    found = place.reader.examples(place.name)
    assert [one.transaction_id for one in found] == ["shop:3", "shop:1", "shop:9"]
    first = found[0]
    assert first.pair.value == "review/HIGH>challenge/CRITICAL"
    assert (first.live_score, first.candidate_score) == (0.5, 0.9)
    assert first.live_reasons == ("high_amount",)
    assert first.candidate_reasons == ("card_testing",)
    assert (first.amount_eur_cents, first.event_at_ms) == (100, NOON_MS + 1_000)


def test_a_pair_keeps_its_newest_examples(place: Place) -> None:
    count = 3 * EXAMPLE_PLACES
    place.count(*(a_row(n, Outcome.DECLINE, event_at_ms=NOON_MS + n) for n in range(count)))
    place.store.add(place.name, [a_row(3, Outcome.DECLINE).compared])  # an older one, again
    found = place.reader.examples(place.name)
    assert [one.source_offset for one in found] == [*range(count - 1, 2 * EXAMPLE_PLACES - 1, -1)]
