from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraudwatch.domain.features.catalogue import FEATURE_INDEX, WINDOWS
from fraudwatch.domain.features.customer_rows import CustomerArrays
from fraudwatch.domain.features.events import Events, Folded
from fraudwatch.domain.features.fold import fold
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS
from tests.unit.domain.features.fold_oracle import PRODUCED_MS, START_MS, Event, events_of

ROOM = 1_024  # how many customers a new state has room for


def memory_bytes(state: CustomerState) -> int:
    """Return the memory of everything, reserved rows included."""
    return state.nbytes


def keys(first: int, last: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.arange(first, last, dtype=np.uint64) * np.uint64(2_654_435_761)


@pytest.fixture
def full() -> CustomerState:
    """A state that has not one row to spare."""
    state = CustomerState()
    before = memory_bytes(state)
    state.rows_of(keys(0, ROOM))
    assert memory_bytes(state) == before
    return state


def test_known_customers_take_no_more_memory(full: CustomerState) -> None:
    before, rows = memory_bytes(full), full.rows_of(keys(0, ROOM))
    for _ in range(5):  # a batch of more purchases than there are rows, and in another order
        many = np.concatenate([keys(0, ROOM)[::-1]] * 3)
        np.testing.assert_array_equal(full.rows_of(many), np.tile(rows[::-1], 3))
    assert memory_bytes(full) == before
    assert full.customers == ROOM


def test_one_new_customer_makes_it_grow_once(full: CustomerState) -> None:
    before = memory_bytes(full)
    full.rows_of(keys(0, ROOM + 1))
    grown = memory_bytes(full)
    assert before < grown <= 2 * before
    full.rows_of(np.concatenate([keys(0, ROOM + 1)] * 2))
    assert memory_bytes(full) == grown
    assert full.customers == ROOM + 1


def test_a_new_customer_who_buys_often_is_one_customer() -> None:
    state = CustomerState()
    before = memory_bytes(state)
    state.rows_of(np.repeat(keys(0, 1), 3 * ROOM))
    assert (state.customers, memory_bytes(state)) == (1, before)


def full_event(number: int, customer: int = 1, at_ms: int = START_MS) -> Event:
    """Return an event that adds to every list of the state."""
    return Event(
        customer,
        number,
        at_ms + number * 5 * HOUR_MS,
        amount_eur_cents=number**6,
        is_approved=number % 4 != 3,
        position=(10.0 + number % 9, 20.0),
        category=number % 11,
        merchant=number % 37,
        device=number % 10,
        country=number % 9,
    )


def some_history(count: int = 400, customers: int = 5) -> list[Event]:
    return [full_event(number, number % customers) for number in range(count)]


def bytes_of(copy: CustomerArrays) -> dict[int, bytes]:
    return {
        int(key): b"".join(column.tobytes() for column in copy.rows.chosen([place]))
        for place, key in enumerate(copy.keys)
    }


def value(result: Folded, row: int, name: str) -> float:
    return float(result.features[row, FEATURE_INDEX[name]])


def cut(events: Events, first: int, last: int) -> Events:
    return Events(*(column[first:last] for column in events))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 400), st.lists(st.integers(0, 4), unique=True))
def test_a_copy_put_into_another_state_continues_with_the_same_bytes(
    place: int, chosen: list[int]
) -> None:
    events = events_of(some_history())
    whole, other = CustomerState(), CustomerState()
    fold(whole, cut(events, 0, place))
    fold(other, cut(events, 30, 90))  # what is put replaces it
    copy = whole.copied()
    for part in (np.isin(copy.keys, chosen), ~np.isin(copy.keys, chosen)):
        other.put(copy.chosen(part))
    known = bytes_of(copy)
    assert {key: found for key, found in bytes_of(other.copied()).items() if key in known} == known
    rest = cut(events, place, 400)
    mine = np.isin(rest.customer_key, copy.keys)
    rest = Events(*(column[mine] for column in rest))
    assert fold(other, rest).features.tobytes() == fold(whole, rest).features.tobytes()


def test_chosen_and_joined_rows_are_those_of_each_customer() -> None:
    state = CustomerState()
    fold(state, events_of(some_history()))
    keys, rows = state.copied()
    before = bytes_of(state.copied())
    parts = [rows.chosen(slice(0, 2)), rows.chosen(np.array([4, 3])), rows.chosen(keys == keys[2])]
    joined = parts[0].followed_by(parts[1]).followed_by(parts[2])
    again = CustomerArrays(keys[[0, 1, 4, 3, 2]], joined)
    assert bytes_of(again) == before
    assert joined.chosen(slice(0, 0)).followed_by(rows).tiles.tobytes() == rows.tiles.tobytes()


def test_each_changed_row_is_copied_once() -> None:
    state = CustomerState()
    fold(state, events_of(some_history()))
    assert state.changed == 5
    first = state.take_changed(3)
    assert (len(first.keys), state.changed) == (3, 2)
    rest = state.take_changed()
    assert set(first.keys.tolist()) | set(rest.keys.tolist()) == set(range(5))
    assert (state.changed, len(state.take_changed().keys)) == (0, 0)
    fold(state, events_of([full_event(500, 2)]))
    assert state.take_changed().keys.tolist() == [2]
    state.mark_changed()
    assert state.changed == 5
    state.mark_unchanged()
    assert state.changed == 0


def test_a_row_moved_by_eviction_is_still_changed() -> None:
    state = CustomerState()
    fold(state, events_of([Event(1, 1, START_MS, produced_at_ms=PRODUCED_MS - 90 * DAY_MS)]))
    fold(state, events_of([Event(2, 1, START_MS), Event(3, 1, START_MS)]))
    assert state.take_changed(2).keys.tolist() == [1, 2]
    assert state.evict_idle(PRODUCED_MS) == 1
    assert state.take_changed().keys.tolist() == [3]


def test_pages_of_expired_tiles_and_evicted_customers_are_used_again() -> None:
    state = CustomerState()
    for month in range(1, 40):
        begin_ms = START_MS + month * 80 * DAY_MS
        produced_ms = PRODUCED_MS + month * 80 * DAY_MS
        state.evict_idle(produced_ms)
        listed = [full_event(n, 100 * month + n % 20, begin_ms) for n in range(200)]
        events = events_of(listed)
        fold(state, events._replace(produced_at_ms=np.full(200, produced_ms)))
        if month == 2:
            before = memory_bytes(state)
    assert state.customers == 20
    assert memory_bytes(state) == before


def test_counts_of_a_tile_stay_at_their_maximum_and_spend_is_exact() -> None:
    many = 66_000
    template = events_of([Event(1, 0, START_MS, amount_eur_cents=3_000_000_000)])
    events = Events(*(np.repeat(column, many) for column in template))._replace(
        transaction_key=np.arange(many, dtype=np.uint64)
    )
    result = fold(CustomerState(), events)
    for window in WINDOWS:
        assert value(result, -1, f"purchase_count_{window.name}") == 65_535
        assert value(result, -1, f"failed_count_{window.name}") == 0
        spend = value(result, -1, f"spend_{window.name}_eur_cents")
        assert spend == 3_000_000_000 * (many - 1)
    assert value(result, -1, "purchase_days_30d") == 1


@pytest.mark.parametrize("amount", [2**33 - 1, 2**33, 2**33 + 1, 2**52])
def test_spend_of_any_amount_is_exact_and_expires_as_a_whole(amount: int) -> None:
    times = [START_MS, START_MS + 1, START_MS + 2, START_MS + DAY_MS, START_MS + DAY_MS + 1]
    result = fold(
        CustomerState(),
        events_of([Event(1, n, at, amount_eur_cents=amount) for n, at in enumerate(times)]),
    )
    assert [value(result, row, "spend_10m_eur_cents") for row in range(5)] == [
        0, amount, 2 * amount, 0, amount,
    ]  # fmt: skip
    assert value(result, 4, "spend_30d_eur_cents") == 4 * amount


def test_a_category_bought_a_million_times_stays_there() -> None:
    many = 1_048_580
    template = events_of([Event(1, 0, START_MS, category=5)])
    events = Events(*(np.repeat(column, many) for column in template))._replace(
        transaction_key=np.arange(many, dtype=np.uint64)
    )
    state = CustomerState()
    fold(state, events)
    result = fold(state, events_of([Event(1, many + n, START_MS, category=6) for n in range(3)]))
    assert value(result, 2, "category_share_ratio") == 2 / (1_048_575 + 2)


def test_times_until_the_year_2100_and_keys_of_all_bits_are_kept() -> None:
    at_ms, key = 4_102_444_800_000 - HOUR_MS, 2**64 - 1
    twice = [Event(key, key - n, at_ms + n, device=key, merchant=key - 7) for n in range(2)]
    result = fold(CustomerState(), events_of([*twice, twice[0]]))
    assert value(result, 1, "purchase_count_10m") == 1
    assert [value(result, 1, f"is_new_{one}") for one in ("device", "merchant")] == [0, 0]
    assert result.is_repeat.tolist() == [False, False, True]
