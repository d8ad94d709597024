"""Events that arrive after newer ones of their customer, and places that nobody was at."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.domain.arrays import Bools
from fraudwatch.domain.features.catalogue import FEATURE_INDEX, WINDOWS
from fraudwatch.domain.features.events import Folded
from fraudwatch.domain.features.fold import fold
from fraudwatch.domain.features.great_circle import great_circle_km
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.rules.impossible_travel import ImpossibleTravel
from fraudwatch.domain.rules.rapid_purchases import RapidPurchases
from fraudwatch.domain.rules.rule import HIT, Rule, RuleInput
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.unit.domain.features.fold_oracle import (
    NO_PLACE,
    START_MS,
    UNKNOWN_PLACE,
    Event,
    Position,
    events_of,
)

POLICY = load_policy(Path(__file__).parents[4] / "contracts/policies/default.yaml")
PARIS, MADRID, LISBON, SYDNEY = (48.86, 2.35), (40.42, -3.7), (38.72, -9.14), (-33.87, 151.21)
ZURICH, NAIROBI, LIMA = (47.37, 8.54), (-1.29, 36.82), (-12.05, -77.04)
OneRule = TypeVar("OneRule", bound=Rule)
CITIES = (PARIS, MADRID, LISBON, SYDNEY, ZURICH, NAIROBI, LIMA)
NOON_MS = START_MS // DAY_MS * DAY_MS + 12 * HOUR_MS


def folded(*listed: Event) -> Folded:
    return fold(CustomerState(), events_of(list(listed)))


def value(result: Folded, row: int, name: str) -> float:
    return float(result.features[row, FEATURE_INDEX[name]])


def shipped(kind: type[OneRule]) -> OneRule:
    [rule] = [one for one in POLICY.rules if isinstance(one, kind)]
    return rule


def hits(kind: type[Rule], listed: list[Event]) -> Bools:
    """Answer a rule of the shipped policy for events in their order of arrival."""
    amounts = np.array([one.amount_eur_cents for one in listed], dtype=np.int64)
    hit: Bools = shipped(kind).answer(RuleInput(amounts, folded(*listed).features)) == HIT
    return hit


def test_a_purchase_uploaded_a_day_late_is_no_impossible_travel() -> None:
    trip = [
        Event(1, 1, NOON_MS - HOUR_MS, position=PARIS),
        Event(1, 2, NOON_MS - 8 * HOUR_MS, position=MADRID),
        Event(1, 3, NOON_MS, position=PARIS),
    ]
    assert not hits(ImpossibleTravel, trip).any()
    result = folded(*trip)
    for name in ("since_last_seconds", "since_located_seconds", "from_located_kmh"):
        assert math.isnan(value(result, 1, name)), name
    assert value(result, 2, "since_located_seconds") == 3_600
    assert value(result, 2, "from_located_km") == 0


def test_purchases_of_a_market_stall_uploaded_together_are_not_rapid() -> None:
    stall = [Event(1, n, NOON_MS - (10 - n) * HOUR_MS) for n in range(1, 8)]
    assert not hits(RapidPurchases, [Event(1, 0, NOON_MS - 10 * MINUTE_MS), *stall]).any()
    together = [Event(1, n, NOON_MS + n) for n in range(7)]
    assert hits(RapidPurchases, together).tolist() == [False] * 6 + [True]


def test_a_late_event_counts_what_arrived_of_the_tiles_up_to_its_own() -> None:
    result = folded(
        Event(1, 1, NOON_MS - 2 * HOUR_MS, amount_eur_cents=700),
        Event(1, 2, NOON_MS),
        Event(1, 3, NOON_MS - HOUR_MS),
        Event(1, 4, NOON_MS),
    )
    assert value(result, 2, "purchase_count_1d") == 1
    assert value(result, 2, "spend_1d_eur_cents") == 700
    assert value(result, 2, "purchase_count_30d") == 2  # of the same day
    assert value(result, 3, "purchase_count_1d") == 3
    assert value(result, 3, "purchase_count_10m") == 1


def test_a_window_is_unknown_if_an_event_may_be_missing_from_it() -> None:
    result = folded(
        Event(1, 1, NOON_MS - 30 * MINUTE_MS),
        Event(1, 2, NOON_MS),
        Event(1, 3, NOON_MS - 25 * MINUTE_MS),
        Event(1, 4, NOON_MS - 5 * MINUTE_MS),
        Event(1, 5, NOON_MS - 24 * MINUTE_MS),
        Event(1, 6, NOON_MS),
    )
    names = [f"{name}_10m" for name in ("purchase_count", "failed_count", "small_count")]
    for name in (*names, "spend_10m_eur_cents", "large_count_10m"):
        unknown = [math.isnan(value(result, row, name)) for row in range(6)]
        assert unknown == [False, False, True, False, True, False], name
    assert value(result, 2, "purchase_count_1h") == 1
    assert value(result, 5, "purchase_count_10m") == 2


def test_late_by_less_than_a_tile_is_counted_with_its_tile() -> None:
    result = folded(*(Event(1, n, NOON_MS + 30_000 - n * 5_000) for n in range(5)))
    assert [value(result, row, "purchase_count_10m") for row in range(5)] == [0, 1, 2, 3, 4]


def test_a_late_event_leaves_the_last_time_and_every_window_of_newer_ones() -> None:
    times = (NOON_MS, NOON_MS - 29 * DAY_MS, NOON_MS)
    result = folded(*(Event(1, number, at_ms) for number, at_ms in enumerate(times)))
    counts = [value(result, 2, f"purchase_count_{window.name}") for window in WINDOWS]
    assert counts == [1, 1, 1, 1, 2]
    assert value(result, 2, "since_last_seconds") == 0


def test_a_late_event_adds_to_its_hour_what_fading_left_of_it() -> None:
    listed = [
        Event(1, 1, NOON_MS),
        Event(1, 2, NOON_MS - 30 * DAY_MS + HOUR_MS),
        Event(1, 3, NOON_MS),
    ]
    faded = 0.5 ** (1 - 1 / (30 * 24))
    expected = pytest.approx(1 / (1 + faded), rel=1e-12)
    assert value(folded(*listed), 2, "own_hour_share_ratio") == expected


def test_a_late_event_makes_no_device_look_older_and_adds_none_older_than_all() -> None:
    eight = [Event(1, n, NOON_MS + n, device=n) for n in range(1, 9)]
    result = folded(
        *eight,
        Event(1, 10, NOON_MS - DAY_MS, device=2),  # stays used at + 2
        Event(1, 11, NOON_MS - DAY_MS, device=50),  # older than all eight
        Event(1, 12, NOON_MS + 20, device=51),  # replaces 1
        *(Event(1, 20 + n, NOON_MS + 30, device=n, is_approved=False) for n in (1, 2, 50)),
    )
    assert [value(result, row, "is_new_device") for row in (11, 12, 13)] == [1, 0, 1]


def test_a_declined_payment_does_not_move_the_last_place() -> None:
    thief = Event(1, 2, NOON_MS + HOUR_MS, position=SYDNEY, is_approved=False)
    owner = Event(1, 3, NOON_MS + 2 * HOUR_MS, position=PARIS)
    listed = [Event(1, 1, NOON_MS, position=PARIS), thief, owner]
    assert hits(ImpossibleTravel, listed).tolist() == [False, True, False]
    assert value(folded(*listed), 2, "since_located_seconds") == 2 * 3_600


@pytest.mark.parametrize("nowhere", [NO_PLACE, (-0.0, 0.0), UNKNOWN_PLACE, (math.nan, 2.0)])
def test_a_position_of_zero_zero_is_no_place(nowhere: Position) -> None:
    result = folded(
        Event(1, 1, NOON_MS, position=PARIS),
        Event(1, 2, NOON_MS + MINUTE_MS, position=nowhere, billing=nowhere, shipping=PARIS),
        Event(1, 3, NOON_MS + HOUR_MS, position=PARIS, billing=PARIS, shipping=nowhere),
        Event(1, 4, NOON_MS + HOUR_MS, position=(0.0, 2.35), billing=PARIS, shipping=(48.86, 0.0)),
    )
    assert math.isnan(value(result, 1, "from_located_km"))
    assert value(result, 2, "since_located_seconds") == 3_600
    assert value(result, 3, "from_located_km") == pytest.approx(5_433, abs=1)
    addresses = [value(result, row, "billing_to_shipping_km") for row in range(4)]
    assert np.isnan(addresses).tolist() == [True, True, True, False]


@st.composite
def journeys(draw: st.DrawFn) -> list[Event]:
    """Draw a journey none of whose legs is faster than the rule's limit, in order of arrival."""
    limit_kmh = shipped(ImpossibleTravel).faster_than_kmh
    at_ms, listed = NOON_MS, [Event(1, 0, NOON_MS, position=PARIS)]
    here: Position = PARIS
    for number in range(1, draw(st.integers(2, 12))):
        there = draw(st.sampled_from(CITIES))
        fastest_ms = great_circle_km(*here, *there) * 1.000_001 / limit_kmh * HOUR_MS
        pause_ms = draw(st.sampled_from([0, 1, 1_000, 9 * HOUR_MS]))
        at_ms, here = at_ms + math.ceil(fastest_ms) + pause_ms, there
        is_approved = draw(st.booleans())
        listed.append(Event(1, number, at_ms, position=there, is_approved=is_approved))
        online = draw(st.sampled_from(CITIES))
        listed.append(Event(1, 100 + number, at_ms, position=online, is_present=False))
    return draw(st.permutations(listed))


@settings(max_examples=200, deadline=None)
@given(journeys())
def test_no_order_of_arrival_makes_a_possible_journey_impossible(listed: list[Event]) -> None:
    assert not hits(ImpossibleTravel, listed).any()


bursts = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 3 * MINUTE_MS), st.integers(0, 2 * HOUR_MS)),
        st.booleans(),
    ),
    min_size=7,
    max_size=16,
)


@settings(max_examples=300, deadline=None)
@given(bursts.flatmap(lambda drawn: st.permutations(list(enumerate(drawn)))))
def test_no_order_of_arrival_is_rapid_unless_the_true_one_is(
    drawn: list[tuple[int, tuple[int, bool]]],
) -> None:
    listed = [Event(1, n, NOON_MS + ms, is_approved=approved) for n, (ms, approved) in drawn]
    in_true_order = sorted(listed, key=lambda one: one.at_ms)
    if hits(RapidPurchases, listed).any():
        assert hits(RapidPurchases, in_true_order).any()


def test_some_orders_of_a_rapid_burst_are_rapid() -> None:
    seven = [Event(1, n, NOON_MS + n * 20_000) for n in range(7)]
    found = [
        hits(RapidPurchases, list(order)).any()
        for order in itertools.islice(itertools.permutations(seven), 0, 5_040, 97)
    ]
    assert found[0]
    assert any(found[1:])
