from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraudwatch.domain.features.catalogue import FEATURE_INDEX, FEATURES, WINDOWS
from fraudwatch.domain.features.events import Events, Folded
from fraudwatch.domain.features.fold import fold
from fraudwatch.domain.features.state import RECENT_IDS, CustomerState
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS, MINUTE_MS

START_MS = 1_795_262_400_000
UNKNOWN_PLACE = (math.nan, math.nan)
BERLIN, NEW_YORK = (52.52, 13.38), (40.71, -74.01)


@dataclass(frozen=True)
class Event:
    customer: int
    transaction: int
    at_ms: int
    amount_eur_cents: int = 100
    is_approved: bool = True
    is_present: bool = True
    position: tuple[float, float] = UNKNOWN_PLACE
    billing: tuple[float, float] = UNKNOWN_PLACE
    shipping: tuple[float, float] = UNKNOWN_PLACE
    item_count: float = math.nan
    category: int = 0
    merchant: int = 0
    device: int = 0
    country: int = 0

    @property
    def is_located(self) -> bool:
        return self.is_present and not any(math.isnan(degrees) for degrees in self.position)


def events_of(listed: list[Event]) -> Events:
    return Events(
        customer_key=np.array([e.customer for e in listed], dtype=np.uint64),
        transaction_key=np.array([e.transaction for e in listed], dtype=np.uint64),
        event_at_ms=np.array([e.at_ms for e in listed], dtype=np.int64),
        amount_eur_cents=np.array([e.amount_eur_cents for e in listed], dtype=np.int64),
        is_approved=np.array([e.is_approved for e in listed], dtype=np.bool_),
        is_present=np.array([e.is_present for e in listed], dtype=np.bool_),
        latitude=np.array([e.position[0] for e in listed], dtype=np.float64),
        longitude=np.array([e.position[1] for e in listed], dtype=np.float64),
        billing_latitude=np.array([e.billing[0] for e in listed], dtype=np.float64),
        billing_longitude=np.array([e.billing[1] for e in listed], dtype=np.float64),
        shipping_latitude=np.array([e.shipping[0] for e in listed], dtype=np.float64),
        shipping_longitude=np.array([e.shipping[1] for e in listed], dtype=np.float64),
        item_count=np.array([e.item_count for e in listed], dtype=np.float64),
        category_key=np.array([e.category for e in listed], dtype=np.uint64),
        merchant_key=np.array([e.merchant for e in listed], dtype=np.uint64),
        device_key=np.array([e.device for e in listed], dtype=np.uint64),
        country_key=np.array([e.country for e in listed], dtype=np.uint64),
    )


def folded(listed: list[Event]) -> Folded:
    return fold(CustomerState(), events_of(listed))


def value(result: Folded, row: int, name: str) -> float:
    return float(result.features[row, FEATURE_INDEX[name]])


def by_brute_force(events: list[Event]) -> tuple[npt.NDArray[np.float64], list[bool]]:
    """The oracle: for every event, look at everything its customer did before."""
    vectors = np.full((len(events), len(FEATURES)), np.nan)
    repeats: list[bool] = []
    past: dict[int, list[tuple[int, Event]]] = {}
    for vector, event in zip(vectors, events, strict=True):
        mine = past.setdefault(event.customer, [])
        repeats.append(event.transaction in {past.transaction for _, past in mine[-RECENT_IDS:]})
        if repeats[-1]:
            continue
        last = mine[-1][0] if mine else -1
        if event.at_ms < last - 30 * DAY_MS:
            continue
        now = max(event.at_ms, last)
        _fill(vector, event, now, mine)
        mine.append((now, event))
    return vectors, repeats


def _fill(
    vector: npt.NDArray[np.float64], event: Event, now: int, past: list[tuple[int, Event]]
) -> None:
    for window in WINDOWS:
        first_tile = now // window.tile_ms - window.tiles
        inside = [one for at, one in past if at // window.tile_ms >= first_tile]
        bought = [one.amount_eur_cents for one in inside if one.is_approved]
        vector[FEATURE_INDEX[f"purchase_count_{window.name}"]] = len(bought)
        vector[FEATURE_INDEX[f"spend_{window.name}_eur_cents"]] = sum(bought)
        vector[FEATURE_INDEX[f"failed_count_{window.name}"]] = len(inside) - len(bought)
        small = sum(one.amount_eur_cents < 500 for one in inside)
        vector[FEATURE_INDEX[f"small_count_{window.name}"]] = small
        large = sum(_is_large(past, one) for one in inside)
        vector[FEATURE_INDEX[f"large_count_{window.name}"]] = large
    today = now // DAY_MS
    days = {at // DAY_MS for at, one in past if one.is_approved and at // DAY_MS >= today - 30}
    vector[FEATURE_INDEX["purchase_days_30d"]] = len(days)
    _fill_habits(vector, event, now, [(at, one) for at, one in past if one.is_approved])
    _fill_alone(vector, event)
    if past:
        vector[FEATURE_INDEX["since_last_seconds"]] = (now - past[-1][0]) / 1000
    located = [(at, one) for at, one in past if one.is_located]
    if not located:
        return
    at, last = located[-1]
    vector[FEATURE_INDEX["since_located_seconds"]] = (now - at) / 1000
    if event.is_located:
        km = _chord_km(last.position, event.position)
        vector[FEATURE_INDEX["from_located_km"]] = km
        vector[FEATURE_INDEX["from_located_kmh"]] = km * 3600 / max((now - at) / 1000, 60)


def _usual(amounts: list[int]) -> float:
    usual = 0.0
    for count, amount in enumerate(amounts):
        bound = 3 * usual if count >= 3 and usual > 0 else math.inf
        usual += (min(amount, bound) - usual) / (count + 1)
    return usual


def _is_large(past: list[tuple[int, Event]], event: Event) -> bool:
    before = list(itertools.takewhile(lambda one: one is not event, (one for _, one in past)))
    bought = [one.amount_eur_cents for one in before if one.is_approved]
    return len(bought) >= 3 and event.amount_eur_cents > 3 * _usual(bought) > 0


def _fill_habits(
    vector: npt.NDArray[np.float64], event: Event, now: int, bought: list[tuple[int, Event]]
) -> None:
    amounts = [one.amount_eur_cents for _, one in bought]
    if amounts:
        usual = vector[FEATURE_INDEX["own_usual_amount_eur_cents"]] = _usual(amounts)
        if usual > 0:
            ratio = event.amount_eur_cents / usual
            vector[FEATURE_INDEX["amount_over_own_usual_ratio"]] = ratio
        mean = sum(amounts) / len(amounts)
        vector[FEATURE_INDEX["own_amount_mean_eur_cents"]] = mean
        if mean > 0:
            vector[FEATURE_INDEX["amount_over_own_mean_ratio"]] = event.amount_eur_cents / mean
        hours = np.zeros(24)
        for at, one in bought:
            hours[one.at_ms // HOUR_MS % 24] += 0.5 ** ((now - at) / (30 * DAY_MS))
        share = hours[event.at_ms // HOUR_MS % 24] / hours.sum()
        vector[FEATURE_INDEX["own_hour_share_ratio"]] = share
    if len(amounts) > 1:
        deviation = np.std(np.array(amounts, dtype=np.longdouble), ddof=1)
        vector[FEATURE_INDEX["own_amount_deviation_eur_cents"]] = deviation
    categories = [one.category for _, one in bought if one.category]
    if categories and event.category:
        share = categories.count(event.category) / len(categories)
        vector[FEATURE_INDEX["category_share_ratio"]] = share
    for kind, plural in (
        ("merchant", "merchants"),
        ("device", "devices"),
        ("country", "countries"),
    ):
        known = {getattr(one, kind) for _, one in bought} - {0}
        vector[FEATURE_INDEX[f"known_{plural}_count"]] = len(known)
        if known and getattr(event, kind):
            vector[FEATURE_INDEX[f"is_new_{kind}"]] = getattr(event, kind) not in known


def _fill_alone(vector: npt.NDArray[np.float64], event: Event) -> None:
    at = datetime.fromtimestamp(event.at_ms / 1000, UTC)
    vector[FEATURE_INDEX["item_count"]] = event.item_count
    vector[FEATURE_INDEX["amount_eur_cents"]] = event.amount_eur_cents
    vector[FEATURE_INDEX["hour_of_day"]] = at.hour
    vector[FEATURE_INDEX["day_of_week"]] = at.weekday()
    if UNKNOWN_PLACE not in {event.billing, event.shipping}:
        km = _chord_km(event.billing, event.shipping)
        vector[FEATURE_INDEX["billing_to_shipping_km"]] = km


def _chord_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance by the angle between two unit vectors: another way than the fold's."""
    vectors = []
    for latitude, longitude in (a, b):
        p, q = math.radians(latitude), math.radians(longitude)
        vectors.append(
            np.array([math.cos(p) * math.cos(q), math.cos(p) * math.sin(q), math.sin(p)])
        )
    chord = float(np.linalg.norm(vectors[0] - vectors[1]))
    return 2 * 6371.0088 * math.asin(min(1.0, chord / 2))


histories = st.lists(
    st.builds(
        Event,
        customer=st.integers(0, 2),
        transaction=st.integers(0, 30),
        at_ms=st.one_of(
            st.integers(START_MS, START_MS + 5 * MINUTE_MS),
            st.integers(START_MS - 40 * DAY_MS, START_MS + 40 * DAY_MS),
            st.integers(-30, 30).map(lambda days: START_MS + days * DAY_MS),
        ),
        amount_eur_cents=st.integers(0, 10**9),
        is_approved=st.booleans(),
        is_present=st.booleans(),
        position=st.sampled_from([BERLIN, NEW_YORK, UNKNOWN_PLACE]),
        billing=st.sampled_from([BERLIN, UNKNOWN_PLACE]),
        shipping=st.sampled_from([BERLIN, NEW_YORK, UNKNOWN_PLACE]),
        item_count=st.sampled_from([math.nan, 0.0, 7.0]),
        category=st.integers(0, 4),
        merchant=st.integers(0, 9),
        device=st.integers(0, 4),
        country=st.integers(0, 4),
    ),
    max_size=40,
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


def test_a_late_event_counts_at_its_customers_last_time() -> None:
    result = folded(
        [
            Event(1, 1, START_MS),
            Event(1, 2, START_MS - 5 * HOUR_MS),
            Event(1, 3, START_MS),
        ]
    )
    assert value(result, 1, "since_last_seconds") == 0
    assert value(result, 2, "purchase_count_10m") == 2


def test_an_event_a_month_late_is_too_late_and_changes_nothing() -> None:
    result = folded(
        [
            Event(1, 1, START_MS),
            Event(1, 2, START_MS - 30 * DAY_MS - 1),
            Event(1, 3, START_MS - 30 * DAY_MS),
            Event(2, 4, START_MS - 60 * DAY_MS),
        ]
    )
    assert result.is_too_late.tolist() == [False, True, False, False]
    assert np.isnan(result.features[1]).all()
    assert value(result, 2, "purchase_count_10m") == 1


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
