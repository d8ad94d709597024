from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fraudwatch.domain.features.catalogue import BEGINS_ANEW_MS, FEATURE_INDEX, WINDOWS
from fraudwatch.domain.features.fold import fold
from fraudwatch.domain.features.refunds import Refunds, fold_refunds
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.money import LARGEST_EUR_CENTS
from fraudwatch.domain.time_units import DAY_MS, MINUTE_MS
from tests.unit.domain.features.fold_oracle import PRODUCED_MS, START_MS, Event, events_of

SPEND = [FEATURE_INDEX[f"spend_{window.name}_eur_cents"] for window in WINDOWS]
FIRST_REFUND = 2**60


def refund(key: int, at_ms: int, amount: int, *, produced_at_ms: int = PRODUCED_MS) -> Refunds:
    return Refunds(
        customer_key=np.array([1], dtype=np.uint64),
        refund_key=np.array([FIRST_REFUND + key], dtype=np.uint64),
        purchased_at_ms=np.array([at_ms], dtype=np.int64),
        produced_at_ms=np.array([produced_at_ms], dtype=np.int64),
        amount_eur_cents=np.array([amount], dtype=np.int64),
    )


def buy(state: CustomerState, key: int, at_ms: int, amount: int = 100) -> list[float]:
    """Add a purchase; return the spend by window before it."""
    event = Event(customer=1, transaction=key, at_ms=at_ms, amount_eur_cents=amount)
    spend: list[float] = fold(state, events_of([event])).features[0, SPEND].tolist()
    return spend


def test_a_refund_reduces_every_window_that_has_its_purchase() -> None:
    state = CustomerState()
    buy(state, 1, START_MS, 5_000)
    assert not fold_refunds(state, refund(1, START_MS, 2_000))[0]
    assert buy(state, 2, START_MS + MINUTE_MS) == [3_000] * len(WINDOWS)


def test_a_refund_of_more_than_was_spent_leaves_nothing_and_no_debt() -> None:
    state = CustomerState()
    buy(state, 1, START_MS, 5_000)
    fold_refunds(state, refund(1, START_MS, LARGEST_EUR_CENTS))
    assert buy(state, 2, START_MS, 700) == [0] * len(WINDOWS)
    assert buy(state, 3, START_MS) == [700] * len(WINDOWS)


def test_spend_of_more_than_33_bits_is_reduced_exactly() -> None:
    state, large = CustomerState(), 3 * 2**33 + 5
    buy(state, 1, START_MS, large)
    fold_refunds(state, refund(1, START_MS, 2**33 + 7))
    assert buy(state, 2, START_MS, 1) == [large - 2**33 - 7] * len(WINDOWS)
    fold_refunds(state, refund(2, START_MS, large - 2**33 - 7))
    assert buy(state, 3, START_MS, LARGEST_EUR_CENTS) == [1] * len(WINDOWS)
    assert buy(state, 4, START_MS) == [LARGEST_EUR_CENTS + 1] * len(WINDOWS)


def test_a_repeated_refund_reduces_once() -> None:
    state = CustomerState()
    buy(state, 1, START_MS, 5_000)
    one = refund(1, START_MS, 2_000)
    assert [bool(fold_refunds(state, one)[0]) for _ in range(3)] == [False, True, True]
    assert buy(state, 2, START_MS) == [3_000] * len(WINDOWS)


def test_a_refund_of_an_unknown_customer_or_time_changes_nothing() -> None:
    state = CustomerState()
    fold_refunds(state, refund(1, START_MS, 2_000))
    assert buy(state, 1, START_MS, 5_000) == [0] * len(WINDOWS)
    fold_refunds(state, refund(2, START_MS - 31 * DAY_MS, 2_000))
    fold_refunds(state, refund(3, START_MS + 31 * DAY_MS, 2_000))
    assert buy(state, 2, START_MS) == [5_000] * len(WINDOWS)


def test_a_customer_begins_anew_whether_a_refund_came_or_not() -> None:
    later_ms = PRODUCED_MS + BEGINS_ANEW_MS + 1
    plain, refunded = CustomerState(), CustomerState()
    for state in (plain, refunded):
        buy(state, 1, START_MS, 5_000)
    fold_refunds(refunded, refund(1, START_MS, 100, produced_at_ms=later_ms - 2))
    fold_refunds(refunded, refund(2, START_MS, 100, produced_at_ms=later_ms))
    event = events_of([Event(customer=1, transaction=2, at_ms=START_MS, produced_at_ms=later_ms)])
    vectors = [fold(state, event).features.tobytes() for state in (plain, refunded)]
    assert vectors[0] == vectors[1]


steps = st.lists(
    st.tuples(
        st.booleans(),  # a refund
        st.one_of(
            st.integers(START_MS, START_MS + 20 * MINUTE_MS),
            st.integers(-35, 35).map(lambda days: START_MS + days * DAY_MS),
        ),
        st.one_of(st.integers(0, 10_000), st.integers(0, LARGEST_EUR_CENTS)),
        st.booleans(),  # approved
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_refunds_change_spend_alone_and_each_tile_down_to_zero(
    listed: list[tuple[bool, int, int, bool]],
) -> None:
    state, plain = CustomerState(), CustomerState()
    ledger: Counter[tuple[int, int]] = Counter()  # by window and tile
    for key, (is_refund, at_ms, amount, is_approved) in enumerate(listed):
        places = [(w, at_ms // window.tile_ms) for w, window in enumerate(WINDOWS)]
        if is_refund:
            fold_refunds(state, refund(key, at_ms, amount))
            for place in places:
                ledger[place] = max(0, ledger[place] - amount)
            continue
        event = events_of(
            [
                Event(
                    customer=1, transaction=key, at_ms=at_ms, amount_eur_cents=amount,
                    is_approved=is_approved,
                )
            ]
        )  # fmt: skip
        found, without = fold(state, event), fold(plain, event)
        assert found.is_too_late[0] == without.is_too_late[0]
        if found.is_too_late[0]:
            continue
        expected = without.features.copy()
        for (w, own), feature in zip(places, SPEND, strict=True):
            tiles = range(own - WINDOWS[w].tiles, own + 1)
            if not np.isnan(expected[0, feature]):
                expected[0, feature] = sum(ledger[w, tile] for tile in tiles)
            ledger[w, own] += amount * is_approved
        np.testing.assert_array_equal(found.features, expected)


@settings(max_examples=50, deadline=None)
@given(steps)
def test_a_copied_state_takes_the_same_refunds(listed: list[tuple[bool, int, int, bool]]) -> None:
    state, copied = CustomerState(), CustomerState()
    for key, (is_refund, at_ms, amount, is_approved) in enumerate(listed):
        copied = CustomerState.from_copy(copied.copied())
        event = Event(1, key, at_ms, amount, is_approved)
        for one in (state, copied):
            if is_refund:
                fold_refunds(one, refund(key, at_ms, amount))
            else:
                fold(one, events_of([event]))
    last = events_of([Event(1, 10_000, START_MS, 1)])
    assert fold(state, last).features.tobytes() == fold(copied, last).features.tobytes()
