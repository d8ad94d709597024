"""Two analysts never work on one case, and nobody is given what is already decided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.adapters.memory.casework import MemoryCases, MemoryClaims
from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.console.access import Forbidden, Person, Role
from fraudwatch.application.console.next_case import Queue
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.messages.verdict import Outcome, Risk
from fraudwatch.samples import a_verdict

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
ANN, BEN = Person("ann", Role.ANALYST), Person("ben", Role.LEAD)


class StaleClaims(MemoryClaims):
    """Whoever asks who holds what hears what was true before anybody came."""

    def held(self) -> Mapping[str, str]:
        return {}

    def claim(self, transaction_id: str, login: str) -> str:
        holder = super().held().get(transaction_id, login)
        if holder == login:
            self._held[transaction_id] = (login, NOW + timedelta(minutes=15))
        return holder


def a_store(*alerts: tuple[str, Risk, float]) -> MemoryVerdictStore:
    store = MemoryVerdictStore()
    for name, risk, age_seconds in alerts:
        at_ms = int((NOW - timedelta(seconds=age_seconds)).timestamp() * 1_000)
        outcome = Outcome.APPROVE if risk is Risk.LOW else Outcome.REVIEW
        store.write(
            [
                a_verdict(
                    transaction_id=name,
                    risk=risk,
                    outcome=outcome,
                    decided_at_ms=at_ms,
                    event_at_ms=at_ms - 100,
                )
            ],
            [],
        )
    return store


def a_queue(store: MemoryVerdictStore, claims: MemoryClaims | None = None) -> Queue:
    return Queue(store, MemoryCases(store), claims or MemoryClaims(lambda: NOW))


def decide(store: MemoryVerdictStore, name: str, truth: LabelValue = LabelValue.FRAUD) -> None:
    at_ms = int(NOW.timestamp() * 1_000) - 1_000
    label = Label(
        schema=LABEL_SCHEMA,
        transaction_id=name,
        verdict=truth,
        source=Source.ANALYST,
        by="cleo",
        known_at_ms=at_ms,
    )
    store.write([], [], [label])


THREE = (
    ("shop:mild-new", Risk.MEDIUM, 1),
    ("shop:grave-old", Risk.CRITICAL, 900),
    ("shop:grave-new", Risk.CRITICAL, 300),
)


def test_the_gravest_comes_first_and_of_those_the_newest() -> None:
    queue, seen = a_queue(a_store(*THREE, ("shop:low", Risk.LOW, 1))), []
    while (name := queue.take_next(ANN, now=NOW, besides=seen)) is not None:
        seen.append(name)
    assert seen == ["shop:grave-new", "shop:grave-old", "shop:mild-new"]


@pytest.mark.parametrize("truth", LabelValue)
def test_what_is_decided_waits_for_nobody(truth: LabelValue) -> None:
    store = a_store(*THREE)
    decide(store, "shop:grave-new", truth)
    assert a_queue(store).take_next(ANN, now=NOW) == "shop:grave-old"


def test_what_another_holds_is_passed_over_and_ones_own_is_given_again() -> None:
    queue = a_queue(a_store(*THREE))
    assert queue.take_next(ANN, now=NOW) == "shop:grave-new"
    assert queue.take_next(BEN, now=NOW) == "shop:grave-old"
    assert queue.take_next(ANN, now=NOW) == "shop:grave-new"
    assert queue.claims.held() == {"shop:grave-new": "ann", "shop:grave-old": "ben"}


def test_an_alert_older_than_a_day_waits_no_more() -> None:
    assert a_queue(a_store(("shop:old", Risk.CRITICAL, 25 * 3_600))).take_next(ANN, now=NOW) is None


def test_a_long_day_of_decided_ones_hides_nothing() -> None:
    store = a_store(*((f"shop:{n}", Risk.CRITICAL, n) for n in range(1, 1_203)))
    for n in range(1, 1_202):
        decide(store, f"shop:{n}")
    assert a_queue(store).take_next(ANN, now=NOW) == "shop:1202"


def test_one_decided_between_reading_and_claiming_is_given_back() -> None:
    class DecidedMeanwhile(MemoryClaims):
        def claim(self, transaction_id: str, login: str) -> str:
            if transaction_id == "shop:grave-new":
                decide(store, transaction_id)
            return super().claim(transaction_id, login)

    store = a_store(*THREE)
    queue = a_queue(store, DecidedMeanwhile(lambda: NOW))
    assert queue.take_next(ANN, now=NOW) == "shop:grave-old"
    assert queue.claims.held() == {"shop:grave-old": "ann"}


def test_who_may_not_decide_is_given_nothing() -> None:
    queue = a_queue(a_store(*THREE))
    with pytest.raises(Forbidden):
        queue.take_next(Person("root", Role.ADMIN), now=NOW)
    assert queue.claims.held() == {}


def test_a_silent_store_is_not_an_empty_queue() -> None:
    store = a_store(*THREE)
    store.is_reachable = False
    with pytest.raises(StoreUnavailable):
        a_queue(store).take_next(ANN, now=NOW)


def test_a_queue_lists_what_take_next_would_claim_in_its_order() -> None:
    store = a_store(*THREE, ("shop:grave-oldest", Risk.CRITICAL, 1_000))
    queue = a_queue(store)
    queue.claims.claim("shop:grave-new", "ben")
    queue.claims.claim("shop:mild-new", "ann")
    decide(store, "shop:grave-oldest")
    waiting = queue.waiting(ANN, now=NOW, limit=10)
    listed = [(case.alert.transaction_id, case.is_claimed) for case in waiting]
    assert listed == [("shop:grave-old", False), ("shop:mild-new", True)]
    assert len(queue.waiting(BEN, now=NOW, limit=1)) == 1
    assert queue.waiting(ANN, now=NOW, limit=10, besides=["shop:grave-old"]) == waiting[1:]


@given(
    ages=st.lists(st.integers(1, 80_000), unique=True, max_size=12),
    presses=st.lists(st.sampled_from(["ann", "ben", "cleo"]), max_size=20),
)
def test_two_are_never_given_the_same_even_when_both_read_before_either_claims(
    ages: list[int], presses: list[str]
) -> None:
    risks = (Risk.CRITICAL, Risk.HIGH, Risk.MEDIUM)
    store = a_store(*((f"shop:{age}", risks[age % 3], age) for age in ages))
    queue = a_queue(store, StaleClaims(lambda: NOW))
    given_to: dict[str, str] = {}
    for login in presses:
        own = [name for name, holder in given_to.items() if holder == login]
        name = queue.take_next(Person(login, Role.ANALYST), now=NOW, besides=own)
        if name is None:
            assert len(given_to) == len(ages)
        else:
            assert given_to.setdefault(name, login) == login
