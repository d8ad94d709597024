from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fraudwatch.domain.features import fold, version
from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES, VECTOR_INDEX
from fraudwatch.domain.features.hashing import keys_of
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS, MINUTE_MS
from fraudwatch.domain.views.catalogue import VIEW_FEATURES, Entity, view_columns
from fraudwatch.domain.views.published import NO_VIEWS, Published, RiskViews, view_for
from fraudwatch.domain.views.view import (
    BrokenView,
    EntityTable,
    Keys,
    RiskView,
    look_up,
    table_of,
)
from fraudwatch.samples import NOON_MS

NAMES = [feature.name for feature in VIEW_FEATURES]


def a_view(built_until_ms: int = NOON_MS, **known: dict[str, list[float]]) -> RiskView:
    """``merchant_id={"m": [...]}``: the first view columns of each entity; the others unknown."""
    tables = {}
    for entity in Entity:
        rows = known.get(str(entity), {})
        values = np.full((len(rows), len(view_columns(entity))), np.nan)
        for value, row in zip(values, rows.values(), strict=True):
            value[: len(row)] = row
        tables[entity] = table_of([*rows], values)
    return RiskView(built_until_ms, tables, DAY_MS)


def keys(rows: int, **named: list[str | None]) -> Keys:
    return {entity: keys_of(named.get(str(entity), [None] * rows)) for entity in Entity}


def by_name(row: np.ndarray[tuple[int], np.dtype[np.float64]]) -> dict[str, float]:
    """What is known of a purchase."""
    return {name: value for name, value in zip(NAMES, row.tolist(), strict=True) if value == value}  # noqa: PLR0124  NaN


def test_a_lookup_returns_known_entities_and_nothing_else() -> None:
    view = a_view(
        merchant_id={"m-2": [0.25, 40, 30], "m-1": [np.nan, 3, 2]},
        device_token={"d": [7]},
        ip_network_token={"n": [9]},
        customer_token={"c": [NOON_MS - 2 * DAY_MS]},
    )
    queries = keys(
        3,
        merchant_id=["m-1", "m-2", "unheard of"],
        device_token=[None, "d", "d"],
        ip_network_token=["n", None, "x"],
        customer_token=["c", "c", "new"],
    )
    at = np.array([NOON_MS, NOON_MS + DAY_MS // 2, NOON_MS])
    first, second, third = (by_name(row) for row in look_up(view, queries, at))
    assert first == {
        "merchant_purchases_30d": 3,
        "merchant_customers_30d": 2,
        "ip_network_customers_30d": 9,
        "customer_account_age_days": 2,
    }
    assert second == {
        "merchant_fraud_ratio_30d": 0.25,
        "merchant_purchases_30d": 40,
        "merchant_customers_30d": 30,
        "device_customers_30d": 7,
        "customer_account_age_days": 2.5,
    }
    assert third == {"device_customers_30d": 7}


def test_an_instant_in_a_view_becomes_an_age() -> None:
    columns = view_columns(Entity.MERCHANT)
    row = [NOON_MS - 3 * DAY_MS if name.endswith("_ms") else 1 for name in columns]
    at = np.array([NOON_MS + DAY_MS])
    ages = by_name(look_up(a_view(merchant_id={"m": row}), keys(1, merchant_id=["m"]), at)[0])
    assert {ages[name] for name in NAMES if name.startswith("merchant") and "age" in name} == {4}


def test_an_empty_view_and_no_purchases() -> None:
    assert np.isnan(look_up(a_view(), keys(2), np.zeros(2, dtype=np.int64))).all()
    assert look_up(a_view(), keys(0), np.zeros(0, dtype=np.int64)).shape == (0, len(NAMES))


def test_names_with_equal_hashes_are_left_out() -> None:
    table = table_of(["a", "b", "a"], np.array([[1.0], [2.0], [3.0]]))
    assert table.keys.tolist() == keys_of(["b"]).tolist()
    assert table.values.tolist() == [[2.0]]


ONE = keys_of(["x"])


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (EntityTable(np.array([2, 1], np.uint64), np.ones((2, 1))), "not in order"),
        (EntityTable(np.array([1, 1], np.uint64), np.ones((2, 1))), "not in order"),
        (EntityTable(np.array([0], np.uint64), np.ones((1, 1))), "not in order"),
        (EntityTable(ONE, np.ones((1, 2))), "not those of the catalogue"),
        (EntityTable(ONE, np.ones((2, 1))), "not those of the catalogue"),
        (EntityTable(ONE, np.ones((1, 1), np.float32)), "not those of the catalogue"),  # type: ignore[arg-type]
        (EntityTable(ONE, np.full((1, 1), np.inf)), "an infinite one"),
    ],
)
def test_a_broken_table_is_refused(table: EntityTable, why: str) -> None:
    tables = {**a_view().tables, Entity.DEVICE: table}
    with pytest.raises(BrokenView, match=why):
        replace(a_view(), tables=tables)


def test_a_view_ends_with_an_hour_and_is_valid_a_quarter_later() -> None:
    assert a_view(NOON_MS).valid_from_ms == NOON_MS + 15 * MINUTE_MS
    with pytest.raises(BrokenView, match="hour"):
        a_view(NOON_MS + 1)
    with pytest.raises(BrokenView, match="label delay is not positive"):
        replace(a_view(), label_delay_ms=0)


def test_the_newest_view_that_is_valid_by_the_purchases_time_counts() -> None:
    published = tuple(Published(f"{n:064x}", NOON_MS + n * HOUR_MS) for n in range(3))
    at = [NOON_MS - 1, NOON_MS, NOON_MS + HOUR_MS - 1, NOON_MS + HOUR_MS, NOON_MS + DAY_MS]
    assert view_for(published, np.array(at)).tolist() == [-1, 0, 0, 1, 2]
    assert view_for((), np.array(at)).tolist() == [-1] * 5


def test_a_view_says_nothing_from_48_hours_after_it_became_valid() -> None:
    """By the purchase's own time: neither late purchases nor newer views change it."""
    later_ms = NOON_MS + 100 * HOUR_MS
    published = (Published("0" * 64, NOON_MS), Published("1" * 64, later_ms))
    old_ms = NOON_MS + 48 * HOUR_MS
    at = np.array([old_ms - 1, old_ms, later_ms - 1, later_ms, later_ms + 48 * HOUR_MS])
    assert view_for(published, at).tolist() == [0, -1, -1, 1, -1]
    view = a_view(device_token={"d": [7.0]})
    answer = RiskViews(published, lambda _: view).lookup(keys(5, device_token=["d"] * 5), at)
    assert [bool(name) for name in answer.view] == [True, False, False, True, False]
    device = answer.features[:, NAMES.index("device_customers_30d")]
    assert np.array_equal(device, [7, np.nan, np.nan, 7, np.nan], equal_nan=True)


def test_purchases_of_one_batch_use_different_views() -> None:
    opened: list[str] = []
    views = {f"{n:064x}": a_view(device_token={"d": [float(n)]}) for n in range(3)}

    def open_view(sha256: str) -> RiskView:
        opened.append(sha256)
        return views[sha256]

    published = tuple(Published(name, NOON_MS + n * HOUR_MS) for n, name in enumerate(views))
    at = np.array([NOON_MS + 2 * HOUR_MS, NOON_MS - 1, NOON_MS, NOON_MS + 2 * HOUR_MS])
    answer = RiskViews(published, open_view).lookup(keys(4, device_token=["d"] * 4), at)
    device = answer.features[:, NAMES.index("device_customers_30d")]
    assert np.array_equal(device, [2, np.nan, 0, 2], equal_nan=True)
    assert [int(name, 16) if name else None for name in answer.view] == [0, None, 0, 0]
    assert [len(name) for name in answer.view] == [12, 0, 12, 12]
    assert len(opened) == 2  # the view in between is not needed, so it stays closed
    nothing = NO_VIEWS.lookup(keys(1), at[:1])
    assert (nothing.view, np.isnan(nothing.features).all()) == ([""], True)


def test_the_served_vector_is_the_folds_and_then_the_views() -> None:
    assert VECTOR_FEATURES[: len(FEATURES)] == FEATURES
    assert VECTOR_INDEX["merchant_fraud_ratio_30d"] == len(FEATURES)
    assert len(VECTOR_INDEX) == len(VECTOR_FEATURES)  # no name twice


def test_another_catalogue_of_views_is_another_version_of_the_features(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    today = fold.features_version()
    monkeypatch.setattr(version, "views_version", lambda: "another")
    assert fold.features_version() != today
