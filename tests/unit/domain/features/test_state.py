from __future__ import annotations

import numpy as np
import pytest

from fraudwatch.domain.features.state import CustomerState

ROOM = 1_024  # how many customers a new state has room for


def memory_bytes(state: CustomerState) -> int:
    """Return the memory of the rows, reserved ones included."""
    return sum(column.nbytes for column in state.rows)


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
