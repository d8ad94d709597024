from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraudwatch.domain.features.catalogue import FEATURE_INDEX
from fraudwatch.domain.features.customer_rows import RECENT_IDS
from fraudwatch.domain.features.events import Folded
from fraudwatch.domain.features.fold import fold
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.money import LARGEST_EUR_CENTS
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.unit.domain.features.fold_oracle import (
    NO_PLACE,
    PRODUCED_MS,
    START_MS,
    UNKNOWN_PLACE,
    Event,
    by_brute_force,
    events_of,
)

BERLIN, NEW_YORK = (52.52, 13.38), (40.71, -74.01)


def folded(listed: list[Event]) -> Folded:
    return fold(CustomerState(), events_of(listed))


def value(result: Folded, row: int, name: str) -> float:
    return float(result.features[row, FEATURE_INDEX[name]])


histories = st.lists(
    st.builds(
        Event,
        customer=st.integers(0, 2),
        transaction=st.integers(0, 60),
        at_ms=st.one_of(
            st.integers(START_MS, START_MS + 5 * MINUTE_MS),
            st.integers(START_MS - 40 * DAY_MS, START_MS + 40 * DAY_MS),
            st.integers(-30, 30).map(lambda days: START_MS + days * DAY_MS),
        ),
        amount_eur_cents=st.integers(0, 10**9),
        is_approved=st.booleans(),
        is_present=st.booleans(),
        position=st.sampled_from([BERLIN, NEW_YORK, UNKNOWN_PLACE, NO_PLACE]),
        billing=st.sampled_from([BERLIN, UNKNOWN_PLACE, NO_PLACE]),
        shipping=st.sampled_from([BERLIN, NEW_YORK, UNKNOWN_PLACE, NO_PLACE]),
        item_count=st.sampled_from([math.nan, 0.0, 7.0]),
        category=st.integers(0, 10),
        merchant=st.integers(0, 40),
        device=st.integers(0, 10),
        country=st.integers(0, 4),
        produced_at_ms=st.one_of(
            st.just(PRODUCED_MS),
            st.integers(-70, 70).map(lambda days: PRODUCED_MS + days * DAY_MS),
        ),
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(histories)
def test_fold_agrees_with_brute_force(listed: list[Event]) -> None:
    features, repeats = by_brute_force(listed)
    result = folded(listed)
    assert result.is_repeat.tolist() == repeats
    np.testing.assert_allclose(result.features, features, rtol=1e-9, atol=1e-4, equal_nan=True)


@settings(max_examples=80, deadline=None)
@given(histories, st.data())
def test_any_chunking_gives_the_same_bytes(listed: list[Event], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(listed)), max_size=5)))
    state, parts = CustomerState(), []
    for start, end in zip([0, *cuts], [*cuts, len(listed)], strict=True):
        parts.append(fold(state, events_of(listed[start:end])).features)
    assert np.concatenate(parts).tobytes() == folded(listed).features.tobytes()


def test_first_purchase_of_a_customer_has_no_past() -> None:
    result = folded([Event(1, 1, START_MS, position=BERLIN)])
    assert value(result, 0, "purchase_count_30d") == 0
    for name in ("since_last_seconds", "since_located_seconds", "from_located_km"):
        assert math.isnan(value(result, 0, name)), name


def test_features_are_read_before_the_purchase_is_added() -> None:
    result = folded([Event(1, n, START_MS + n, amount_eur_cents=250) for n in range(4)])
    counts = [value(result, row, "purchase_count_10m") for row in range(4)]
    assert counts == [0, 1, 2, 3]
    assert value(result, 3, "spend_10m_eur_cents") == 750


def test_failed_attempts_are_counted_apart_and_spend_nothing() -> None:
    result = folded(
        [
            Event(1, 1, START_MS, amount_eur_cents=999, is_approved=False),
            Event(1, 2, START_MS + 1),
        ]
    )
    assert value(result, 1, "failed_count_10m") == 1
    assert value(result, 1, "purchase_count_10m") == 0
    assert value(result, 1, "spend_10m_eur_cents") == 0


def test_a_window_is_its_whole_tiles_and_the_current_one() -> None:
    at_tile_start = START_MS // MINUTE_MS * MINUTE_MS
    for later_ms, expected in ((11 * MINUTE_MS - 1, 1), (11 * MINUTE_MS, 0)):
        result = folded([Event(1, 1, at_tile_start), Event(1, 2, at_tile_start + later_ms)])
        assert value(result, 1, "purchase_count_10m") == expected


def test_an_event_a_month_late_is_too_late_and_changes_nothing() -> None:
    result = folded(
        [
            Event(1, 1, START_MS),
            Event(1, 2, START_MS - 30 * DAY_MS - 1, device=1),
            Event(1, 3, START_MS),
            Event(1, 4, START_MS - 30 * DAY_MS),
            Event(2, 5, START_MS - 60 * DAY_MS),
        ]
    )
    assert result.is_too_late.tolist() == [False, True, False, False, False]
    assert result.is_late.tolist() == [False, False, False, True, False]
    assert np.isnan(result.features[1]).all()
    assert value(result, 2, "purchase_count_10m") == 1
    assert value(result, 2, "known_devices_count") == 0


def test_a_repeated_id_changes_nothing() -> None:
    result = folded([Event(1, 7, START_MS), Event(1, 7, START_MS), Event(1, 8, START_MS)])
    assert result.is_repeat.tolist() == [False, True, False]
    assert value(result, 2, "purchase_count_10m") == 1


def test_an_id_is_no_repeat_after_64_others() -> None:
    others = [Event(1, 100 + n, START_MS) for n in range(RECENT_IDS)]
    result = folded([Event(1, 7, START_MS), *others, Event(1, 7, START_MS)])
    assert not result.is_repeat[-1]


def test_distance_and_speed_from_the_last_position() -> None:
    result = folded(
        [
            Event(1, 1, START_MS, position=BERLIN),
            Event(1, 2, START_MS + 30 * MINUTE_MS, is_present=False, position=NEW_YORK),
            Event(1, 3, START_MS + HOUR_MS, position=NEW_YORK),
        ]
    )
    assert math.isnan(value(result, 1, "from_located_km"))
    assert value(result, 2, "from_located_km") == pytest.approx(6385, abs=5)
    assert value(result, 2, "from_located_kmh") == value(result, 2, "from_located_km")


def test_sums_of_the_largest_amounts_are_exact_to_2_53() -> None:
    odd = LARGEST_EUR_CENTS - 1
    result = folded(
        [Event(customer=1, transaction=n, at_ms=START_MS, amount_eur_cents=odd) for n in range(901)]
    )
    assert 900 * odd < 2**53
    assert value(result, 900, "spend_1h_eur_cents") == 900 * odd
    assert value(result, 900, "amount_eur_cents") == odd


def test_customers_are_independent_of_each_other() -> None:
    many = 5_000
    keys = [(n * 0x9E3779B97F4A7C15) % 2**64 for n in range(many)]
    listed = [Event(key, n, START_MS + n) for n, key in enumerate(keys)]
    again = [Event(key, many + n, START_MS + many + n) for n, key in enumerate(keys)]
    state = CustomerState()
    fold(state, events_of(listed[:10]))
    fold(state, events_of(listed[10:]))
    result = fold(state, events_of(again))
    assert state.customers == many
    assert (result.features[:, FEATURE_INDEX["purchase_count_30d"]] == 1).all()


def test_an_amount_is_large_above_three_times_the_usual_amount() -> None:
    amounts = [1_000, 3_001, 500, 1_000, 4_200, 4_126, 100]
    result = folded(
        [Event(1, n, START_MS + n, amount_eur_cents=amount) for n, amount in enumerate(amounts)]
    )
    usual = [value(result, row, "own_usual_amount_eur_cents") for row in range(1, 6)]
    assert usual == pytest.approx([1_000, 2_000.5, 4_501 / 3, 5_501 / 4, (5_501 + 4_125.75) / 5])
    counts = [value(result, row, "large_count_1h") for row in range(7)]
    assert counts == [0, 0, 0, 0, 0, 1, 1]
    assert value(result, 3, "amount_over_own_usual_ratio") == pytest.approx(1_000 / (4_501 / 3))


def test_failed_attempts_are_no_habit() -> None:
    result = folded(
        [
            Event(1, 1, START_MS, device=5),
            Event(1, 2, START_MS + 1, device=6, is_approved=False, amount_eur_cents=10**6),
            Event(1, 3, START_MS + 2, device=6),
        ]
    )
    assert [value(result, row, "is_new_device") for row in (1, 2)] == [1, 1]
    assert value(result, 2, "own_amount_mean_eur_cents") == 100
    assert value(result, 2, "known_devices_count") == 1


def test_the_least_recently_used_device_is_replaced() -> None:
    first_eight = [Event(1, n, START_MS + n, device=n) for n in range(1, 9)]
    result = folded(
        [
            *first_eight,
            Event(1, 20, START_MS + 20, device=1),  # used again, so 2 is the oldest now
            Event(1, 21, START_MS + 21, device=9),
            Event(1, 22, START_MS + 22, device=1),
            Event(1, 23, START_MS + 23, device=2),
        ]
    )
    assert [value(result, row, "is_new_device") for row in (8, 9, 10, 11)] == [0, 1, 0, 1]
    assert value(result, 11, "known_devices_count") == 8


def test_a_replaced_category_starts_anew() -> None:
    nine = [Event(1, n, START_MS + n, category=n) for n in range(1, 10)]
    result = folded([*nine, Event(1, 10, START_MS + 10, category=1)])
    assert value(result, 9, "category_share_ratio") == 0


def test_unknown_is_nan_with_the_same_bits_everywhere() -> None:
    result = folded([Event(1, 1, START_MS), Event(1, 2, START_MS + 1, billing=BERLIN)])
    unknown = result.features[np.isnan(result.features)]
    assert len(unknown) > 10
    assert set(unknown.view(np.uint64).tolist()) == {np.array(np.nan).view(np.uint64).item()}
