"""Customers who come back after more than 60 days, and the eviction of their rows."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fraudwatch.domain.features.catalogue import FEATURE_INDEX
from fraudwatch.domain.features.fold import fold
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS
from tests.unit.domain.features.fold_oracle import PRODUCED_MS, START_MS, Event, events_of

SIXTY_DAYS_MS = 60 * DAY_MS


def state_bytes(state: CustomerState) -> dict[int, bytes]:
    """Return the bytes of each customer's row."""
    keys, rows = state.copied()
    return {
        int(key): b"".join(column.tobytes() for column in rows.chosen([place]))
        for place, key in enumerate(keys)
    }


def full_event(number: int, produced_at_ms: int, customer: int = 1) -> Event:
    """Return an event that fills every column of the state."""
    return Event(
        customer,
        number,
        START_MS + number * 7 * HOUR_MS,
        amount_eur_cents=100 + number**3,
        is_approved=number % 3 != 1,
        position=(10.0 + number, 20.0),
        category=number + 1,
        merchant=number + 1,
        device=number + 1,
        country=number + 1,
        produced_at_ms=produced_at_ms,
    )


def test_after_sixty_days_of_silence_a_customer_begins_anew() -> None:
    history = [full_event(number, PRODUCED_MS) for number in range(40)]
    back = [full_event(number, PRODUCED_MS + SIXTY_DAYS_MS + 1) for number in (39, 41, 42)]
    known, fresh = CustomerState(), CustomerState()
    fold(known, events_of(history))
    again, first = fold(known, events_of(back)), fold(fresh, events_of(back))
    assert again.features.tobytes() == first.features.tobytes()
    assert again.is_repeat.tolist() == [False, False, False]
    assert state_bytes(known) == state_bytes(fresh)


def test_on_the_sixtieth_day_a_customer_is_still_known() -> None:
    listed = [full_event(1, PRODUCED_MS), full_event(2, PRODUCED_MS + SIXTY_DAYS_MS)]
    result = fold(CustomerState(), events_of(listed))
    assert result.features[1, FEATURE_INDEX["failed_count_1d"]] == 1


def test_a_repeat_does_not_keep_a_customer() -> None:
    listed = [
        full_event(2, PRODUCED_MS),
        full_event(2, PRODUCED_MS + SIXTY_DAYS_MS),
        full_event(2, PRODUCED_MS + SIXTY_DAYS_MS + 1),
    ]
    assert fold(CustomerState(), events_of(listed)).is_repeat.tolist() == [False, True, False]


def test_the_time_of_the_purchase_ends_no_history() -> None:
    first = full_event(0, PRODUCED_MS)
    later = full_event(1, PRODUCED_MS + 1_000)
    years_later = Event(1, 2, later.at_ms + 800 * DAY_MS, produced_at_ms=later.produced_at_ms)
    result = fold(CustomerState(), events_of([first, later, years_later]))
    assert result.features[2, FEATURE_INDEX["known_merchants_count"]] == 1


def test_eviction_removes_idle_customers_only() -> None:
    state = CustomerState()
    fold(state, events_of([full_event(n, PRODUCED_MS + n * DAY_MS, n) for n in range(1, 9)]))
    before = state_bytes(state)
    now_ms = PRODUCED_MS + 4 * DAY_MS + SIXTY_DAYS_MS + DAY_MS
    assert state.evict_idle(now_ms) == 3
    assert state.customers == 5
    assert state_bytes(state) == {n: before[n] for n in range(4, 9)}
    assert state.evict_idle(now_ms) == 0


def test_eviction_waits_until_a_sixteenth_of_all_customers_is_idle() -> None:
    state = CustomerState()
    produced = [PRODUCED_MS, PRODUCED_MS, *[PRODUCED_MS + SIXTY_DAYS_MS] * 30]
    listed = [full_event(1, produced_ms, key) for key, produced_ms in enumerate(produced)]
    fold(state, events_of(listed[1:]))
    now_ms = PRODUCED_MS + SIXTY_DAYS_MS + 2 * DAY_MS
    assert state.evict_idle(now_ms) == 0
    fold(state, events_of(listed[:1]))
    fold(state, events_of([full_event(2, PRODUCED_MS, 99)]))
    assert state.evict_idle(now_ms) == 3
    assert state.customers == 30


gaps = st.sampled_from([0, 1_000, 20 * DAY_MS, SIXTY_DAYS_MS, SIXTY_DAYS_MS + DAY_MS + 1])
messages = st.lists(
    st.tuples(st.integers(1, 4), gaps, st.integers(0, DAY_MS), st.booleans()), max_size=30
)


@settings(max_examples=80, deadline=None)
@given(messages)
def test_with_or_without_eviction_the_bytes_are_the_same(
    drawn: list[tuple[int, int, int, bool]],
) -> None:
    evicting, keeping = CustomerState(), CustomerState()
    now_ms = PRODUCED_MS
    for number, (customer, gap_ms, behind_ms, is_evicted) in enumerate(drawn):
        now_ms += gap_ms
        event = events_of([full_event(number, now_ms - behind_ms, customer)])
        if is_evicted:
            evicting.evict_idle(now_ms - behind_ms)
        assert fold(evicting, event).features.tobytes() == fold(keeping, event).features.tobytes()
    kept, known = state_bytes(evicting), state_bytes(keeping)
    assert kept == {key: known[key] for key in kept}
    assert np.isin(list(known), list(kept)).sum() == len(kept)


def test_eviction_keeps_the_marks_of_changed_rows() -> None:
    state = CustomerState()
    fold(state, events_of([full_event(1, PRODUCED_MS, customer) for customer in (1, 2)]))
    now_ms = PRODUCED_MS + SIXTY_DAYS_MS + 2 * DAY_MS
    fold(state, events_of([full_event(1, now_ms - DAY_MS, customer) for customer in (3, 4)]))
    state.take_changed(10)
    fold(state, events_of([full_event(2, now_ms, customer=4)]))
    assert state.evict_idle(now_ms) == 2
    changed = state.take_changed(10)
    assert changed.keys.tolist() == [4]
    assert changed.rows.produced_at_ms.tolist() == [now_ms]
    fold(state, events_of([full_event(3, now_ms, customer=3)]))
    assert state.take_changed(10).keys.tolist() == [3]
