"""Contract of the handling of cases and of reviews: memory twins and real Cassandra."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fraudwatch.adapters.memory.handling import MemoryHandlings, MemoryReviews
from fraudwatch.application.console.handling import UNHANDLED, Handling, HandlingStore
from fraudwatch.application.console.reviews import Review, ReviewResult, ReviewStore
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.samples import NOON_MS, a_token

if TYPE_CHECKING:
    from cassandra.cluster import Session

    SessionOf = Callable[[str], Session]

ENGINES = ["memory", pytest.param("cassandra", marks=pytest.mark.engines)]
ASSIGNED = Handling(assigned_to="ann", assigned_by="ben")
SNOOZED = replace(
    ASSIGNED, snoozed_until_ms=NOON_MS + 7, snoozed_by="ann", snooze_reason="„Bank“ answers."
)


def name() -> str:
    return f"test:{uuid.uuid4().hex}"


@pytest.fixture(params=ENGINES)
def handlings(request: pytest.FixtureRequest) -> Iterator[HandlingStore]:
    if request.param == "memory":
        yield MemoryHandlings()
        return
    from fraudwatch.adapters.store.handling import CassandraHandlings

    session_of: SessionOf = request.getfixturevalue("session_of")
    yield CassandraHandlings(session_of("console"))


@pytest.fixture(params=ENGINES)
def reviews(request: pytest.FixtureRequest) -> Iterator[ReviewStore]:
    if request.param == "memory":
        yield MemoryReviews()
        return
    from fraudwatch.adapters.store.reviews import CassandraReviews

    session_of: SessionOf = request.getfixturevalue("session_of")
    yield CassandraReviews(session_of("console"))


def test_a_handling_is_read_back_as_written_until_it_is_empty(handlings: HandlingStore) -> None:
    case = name()
    assert case not in handlings.handlings()
    for before, after in ((UNHANDLED, ASSIGNED), (ASSIGNED, SNOOZED), (SNOOZED, UNHANDLED)):
        assert handlings.change(case, before, after)
        assert handlings.handlings().get(case, UNHANDLED) == after
    assert case not in handlings.handlings()


def test_a_handling_that_was_changed_meanwhile_stays(handlings: HandlingStore) -> None:
    case = name()
    assert not handlings.change(case, ASSIGNED, SNOOZED)
    assert handlings.change(case, UNHANDLED, SNOOZED)
    assert not handlings.change(case, UNHANDLED, ASSIGNED)
    assert not handlings.change(case, ASSIGNED, UNHANDLED)
    assert handlings.handlings()[case] == SNOOZED


def test_of_many_concurrent_assignments_one_is_made(handlings: HandlingStore) -> None:
    case, logins = name(), [f"analyst-{n}" for n in range(6)]

    def assign(login: str) -> bool:
        return handlings.change(case, UNHANDLED, Handling(assigned_to=login, assigned_by=login))

    with ThreadPoolExecutor(len(logins)) as pool:
        made = [
            login
            for login, is_made in zip(logins, pool.map(assign, logins), strict=True)
            if is_made
        ]
    assert len(made) == 1
    assert handlings.handlings()[case].assigned_to == made[0]


def a_review(case: str, requested_at_ms: int = NOON_MS) -> Review:
    return Review(
        transaction_id=case,
        customer_token=a_token("a"),
        requested_at_ms=requested_at_ms,
        filed_by="ann",
        request="“It was me”, says the customer.",
    )


def decided(review: Review, by: str = "ben") -> Review:
    return replace(
        review,
        result=ReviewResult.REVERSED,
        decided_at_ms=review.requested_at_ms + 5,
        decided_by=by,
        note="The bank confirms it.",
    )


def test_a_review_is_open_once_until_it_is_decided(reviews: ReviewStore) -> None:
    case = name()
    first = a_review(case)
    assert reviews.file(first)
    assert not reviews.file(replace(first, filed_by="cleo"))
    assert reviews.open_reviews()[case] == first
    assert reviews.decided_reviews(case) == []
    assert reviews.decide(decided(first)) == decided(first)
    assert case not in reviews.open_reviews()
    assert reviews.decided_reviews(case) == [decided(first)]
    second = a_review(case, NOON_MS + 60_000)
    assert reviews.file(second)
    reviews.decide(decided(second))
    assert reviews.decided_reviews(case) == [decided(second), decided(first)]


def test_of_two_decisions_the_first_stays_and_a_repeat_changes_nothing(
    reviews: ReviewStore,
) -> None:
    review = a_review(name())
    reviews.file(review)
    reviews.decide(decided(review))
    assert reviews.decide(decided(review)) == decided(review)
    assert reviews.decide(decided(review, by="cleo")) == decided(review)
    assert reviews.decided_reviews(review.transaction_id) == [decided(review)]


def test_unavailable_twins_raise() -> None:
    handlings, reviews = MemoryHandlings(), MemoryReviews()
    handlings.is_reachable = reviews.is_reachable = False
    with pytest.raises(StoreUnavailable):
        handlings.change("test:1", UNHANDLED, ASSIGNED)
    with pytest.raises(StoreUnavailable):
        reviews.open_reviews()
