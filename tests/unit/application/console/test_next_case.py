"""Queue: two analysts never work on one case, and decided cases are not given out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.adapters.memory.casework import MemoryClaims
from fraudwatch.adapters.memory.handling import MemoryHandlings
from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.console.access import Forbidden, Person, Role
from fraudwatch.application.console.handling import UNHANDLED, Handling
from fraudwatch.application.console.next_case import Queue, View
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.messages.verdict import Outcome, Risk
from fraudwatch.samples import a_verdict

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
ANN, BEN = Person("ann", Role.ANALYST), Person("ben", Role.LEAD)


class StaleClaims(MemoryClaims):
    """Claims whose listing is stale: it shows the state before any claim."""

    def active_claims(self) -> Mapping[str, str]:
        return {}

    def claim(self, transaction_id: str, login: str) -> str:
        holder = super().active_claims().get(transaction_id, login)
        if holder == login:
            self._claims[transaction_id] = (login, NOW + timedelta(minutes=15))
        return holder


def a_store(
    *alerts: tuple[str, Risk, float], values: Mapping[str, tuple[float, int]] | None = None
) -> MemoryVerdictStore:
    """Fill a store; ``values`` are scores and amounts by name."""
    store = MemoryVerdictStore()
    for name, risk, age_seconds in alerts:
        score, cents = (values or {}).get(name, (0.5, 1_000))
        at_ms = int((NOW - timedelta(seconds=age_seconds)).timestamp() * 1_000)
        outcome = Outcome.APPROVE if risk is Risk.LOW else Outcome.REVIEW
        store.write(
            [
                a_verdict(
                    transaction_id=name,
                    risk=risk,
                    outcome=outcome,
                    score=score,
                    amount_eur_cents=cents,
                    decided_at_ms=at_ms,
                    event_at_ms=at_ms - 100,
                )
            ],
            [],
        )
    return store


def a_queue(store: MemoryVerdictStore, claims: MemoryClaims | None = None) -> Queue:
    return Queue(store, store, claims or MemoryClaims(lambda: NOW), MemoryHandlings())


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
    ("shop:medium-new", Risk.MEDIUM, 1),
    ("shop:critical-old", Risk.CRITICAL, 900),
    ("shop:critical-new", Risk.CRITICAL, 300),
)


def order_of(queue: Queue) -> list[str]:
    """Claim case after case until the queue is empty."""
    given: list[str] = []
    while (name := queue.claim_next(ANN, now=NOW, excluded=given)) is not None:
        given.append(name)
    return given


def test_the_highest_risk_comes_first_and_of_equal_value_the_newest() -> None:
    queue = a_queue(a_store(*THREE, ("shop:low", Risk.LOW, 1)))
    assert order_of(queue) == ["shop:critical-new", "shop:critical-old", "shop:medium-new"]


def test_within_a_risk_level_the_most_score_times_amount_comes_first() -> None:
    values = {
        "shop:likely": (0.9, 1_000),
        "shop:dear": (0.3, 500_000),
        "shop:unlikely": (0.1, 9_000),
        "shop:medium": (0.29, 9_000_000),
    }
    ages = {name: seconds for seconds, name in enumerate(values, start=1)}
    store = a_store(
        *((name, Risk.HIGH, ages[name]) for name in values if name != "shop:medium"),
        ("shop:medium", Risk.MEDIUM, 1),
        values=values,
    )
    expected = ["shop:dear", "shop:likely", "shop:unlikely", "shop:medium"]
    assert order_of(a_queue(store)) == expected
    waiting = a_queue(store).waiting(BEN, now=NOW, limit=10)
    assert [case.alert.transaction_id for case in waiting] == expected


@pytest.mark.parametrize("truth", [LabelValue.FRAUD, LabelValue.GENUINE])
def test_a_decided_case_is_not_in_the_queue(truth: LabelValue) -> None:
    store = a_store(*THREE)
    decide(store, "shop:critical-new", truth)
    assert a_queue(store).claim_next(ANN, now=NOW) == "shop:critical-old"


def test_an_unsure_case_stays_in_the_queue() -> None:
    store = a_store(*THREE)
    decide(store, "shop:critical-new", LabelValue.UNSURE)
    assert a_queue(store).claim_next(ANN, now=NOW) == "shop:critical-new"


def test_a_case_claimed_by_another_is_skipped_and_ones_own_returned() -> None:
    queue = a_queue(a_store(*THREE))
    assert queue.claim_next(ANN, now=NOW) == "shop:critical-new"
    assert queue.claim_next(BEN, now=NOW) == "shop:critical-old"
    assert queue.claim_next(ANN, now=NOW) == "shop:critical-new"
    assert queue.claims.active_claims() == {"shop:critical-new": "ann", "shop:critical-old": "ben"}


def test_an_undecided_alert_is_in_the_queue_at_any_age() -> None:
    store = a_store(("shop:old", Risk.CRITICAL, 200 * 86_400))
    assert a_queue(store).claim_next(ANN, now=NOW) == "shop:old"


def test_within_a_risk_level_overdue_cases_come_first() -> None:
    store = a_store(
        ("shop:medium-overdue", Risk.MEDIUM, 90_000),
        ("shop:high-dear", Risk.HIGH, 60),
        ("shop:high-overdue", Risk.HIGH, 5 * 3_600),
        ("shop:critical", Risk.CRITICAL, 60),
        values={"shop:high-dear": (0.9, 900_000)},
    )
    expected = ["shop:critical", "shop:high-overdue", "shop:high-dear", "shop:medium-overdue"]
    assert order_of(a_queue(store)) == expected


def test_a_case_of_another_and_a_snoozed_one_are_not_next_and_each_has_its_list() -> None:
    queue = a_queue(a_store(*THREE))
    later_ms = int((NOW + timedelta(hours=1)).timestamp() * 1_000)
    for name, handling in {
        "shop:critical-new": Handling(assigned_to="ben", assigned_by="ben"),
        "shop:critical-old": Handling(snoozed_until_ms=later_ms, snoozed_by="ann"),
    }.items():
        assert queue.handlings.change(name, UNHANDLED, handling)

    def listed(person: Person, view: View, now: datetime = NOW) -> list[str]:
        cases = queue.waiting(person, now=now, limit=10, view=view)
        return [case.alert.transaction_id.removeprefix("shop:") for case in cases]

    assert listed(ANN, View.TO_DO) == ["medium-new"]
    assert listed(BEN, View.TO_DO) == ["critical-new", "medium-new"]
    assert listed(BEN, View.MINE) == ["critical-new"]
    assert listed(ANN, View.MINE) == []
    assert listed(ANN, View.ASSIGNED) == ["critical-new"]
    assert listed(ANN, View.SNOOZED) == ["critical-old"]
    assert len(listed(ANN, View.ALL)) == 3
    # A snooze ends by itself.
    assert "critical-old" in listed(ANN, View.TO_DO, NOW + timedelta(hours=1))


def test_many_decided_alerts_hide_no_open_one() -> None:
    store = a_store(*((f"shop:{n}", Risk.CRITICAL, n) for n in range(1, 1_203)))
    for n in range(1, 1_202):
        decide(store, f"shop:{n}")
    assert a_queue(store).claim_next(ANN, now=NOW) == "shop:1202"


def test_a_case_decided_between_reading_and_claiming_is_released() -> None:
    class DecidedMeanwhile(MemoryClaims):
        def claim(self, transaction_id: str, login: str) -> str:
            if transaction_id == "shop:critical-new":
                decide(store, transaction_id)
            return super().claim(transaction_id, login)

    store = a_store(*THREE)
    queue = a_queue(store, DecidedMeanwhile(lambda: NOW))
    assert queue.claim_next(ANN, now=NOW) == "shop:critical-old"
    assert queue.claims.active_claims() == {"shop:critical-old": "ann"}


def test_a_role_that_may_not_decide_gets_no_case() -> None:
    queue = a_queue(a_store(*THREE))
    with pytest.raises(Forbidden):
        queue.claim_next(Person("root", Role.ADMIN), now=NOW)
    assert queue.claims.active_claims() == {}


def test_an_unavailable_store_is_not_an_empty_queue() -> None:
    store = a_store(*THREE)
    store.is_reachable = False
    with pytest.raises(StoreUnavailable):
        a_queue(store).claim_next(ANN, now=NOW)


def test_a_queue_lists_what_claim_next_would_claim_in_its_order() -> None:
    store = a_store(*THREE, ("shop:critical-oldest", Risk.CRITICAL, 1_000))
    queue = a_queue(store)
    queue.claims.claim("shop:critical-new", "ben")
    queue.claims.claim("shop:medium-new", "ann")
    decide(store, "shop:critical-oldest")
    waiting = queue.waiting(ANN, now=NOW, limit=10)
    listed = [(case.alert.transaction_id, case.claimed_by) for case in waiting]
    assert listed == [("shop:critical-old", None), ("shop:medium-new", "ann")]
    assert len(queue.waiting(BEN, now=NOW, limit=1)) == 1
    assert queue.waiting(ANN, now=NOW, limit=10, excluded=["shop:critical-old"]) == waiting[1:]


@given(
    ages=st.lists(st.integers(1, 80_000), unique=True, max_size=12),
    presses=st.lists(st.sampled_from(["ann", "ben", "cleo"]), max_size=20),
)
def test_two_analysts_never_get_the_same_case_even_when_both_read_first(
    ages: list[int], presses: list[str]
) -> None:
    risks = (Risk.CRITICAL, Risk.HIGH, Risk.MEDIUM)
    store = a_store(*((f"shop:{age}", risks[age % 3], age) for age in ages))
    queue = a_queue(store, StaleClaims(lambda: NOW))
    given_to: dict[str, str] = {}
    for login in presses:
        own = [name for name, holder in given_to.items() if holder == login]
        name = queue.claim_next(Person(login, Role.ANALYST), now=NOW, excluded=own)
        if name is None:
            assert len(given_to) == len(ages)
        else:
            assert given_to.setdefault(name, login) == login
