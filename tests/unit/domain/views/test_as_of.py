"""Views of all hours at once, against the sentences of the catalogue hour by hour."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest

from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.features.hashing import keys_of
from fraudwatch.domain.messages.label import LabelValue
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS, MINUTE_MS
from fraudwatch.domain.views.as_of import view_features_as_of
from fraudwatch.domain.views.catalogue import (
    VALID_AFTER_MS,
    VIEW_FEATURES,
    Entity,
    view_columns,
)
from fraudwatch.domain.views.past import LabelChanges, PastPurchases
from fraudwatch.domain.views.view import RiskView, look_up, table_of
from fraudwatch.samples import NOON_MS
from tests.unit.domain.views.view_oracle import (
    LABEL_DELAY_MS,
    Bought,
    OracleLabel,
    a_world,
    labels_as_of,
    oracle,
)

NAMES = [feature.name for feature in VIEW_FEATURES]


def columns_of(purchases: Sequence[Bought]) -> PastPurchases:
    return PastPurchases(
        event_at_ms=np.array([one.event_at_ms for one in purchases], dtype=np.int64),
        is_approved=np.array([one.payment_status == "approved" for one in purchases], np.bool_),
        amount_eur_cents=np.array([one.amount_eur_cents for one in purchases], dtype=np.int64),
        merchant_key=keys_of([one.merchant_id for one in purchases]),
        customer_key=keys_of([one.customer_token for one in purchases]),
        device_key=keys_of([one.device_token for one in purchases]),
        ip_network_key=keys_of([one.ip_network_token for one in purchases]),
    )


def changes_of(purchases: Sequence[Bought], labels: Sequence[OracleLabel]) -> LabelChanges:
    """Return the label changes, one for each label."""
    place = {one.transaction_id: row for row, one in enumerate(purchases)}
    changes = []
    for label in labels:
        labels_of_one = [one for one in labels if one.transaction_id == label.transaction_id]
        in_effect = labels_as_of(labels_of_one, label.known_at_ms + 1)
        is_fraud = in_effect.get(label.transaction_id) is LabelValue.FRAUD
        changes.append((place[label.transaction_id], label.known_at_ms, is_fraud))
    row, known_at_ms, is_fraud = zip(*changes, strict=True) if changes else ((), (), ())
    return LabelChanges(
        np.array(row, np.int64), np.array(known_at_ms, np.int64), np.array(is_fraud, np.bool_)
    )


def as_of(purchases: Sequence[Bought], labels: Sequence[OracleLabel] = ()) -> Float64s:
    changes = changes_of(purchases, labels)
    return view_features_as_of(columns_of(purchases), changes, label_delay_ms=LABEL_DELAY_MS)


def by_the_hour(
    purchases: Sequence[Bought], labels: Sequence[OracleLabel], one: Bought
) -> Float64s:
    """The view of its hour built by the oracle, and the purchase looked up in it."""
    until_ms = (one.event_at_ms - VALID_AFTER_MS) // HOUR_MS * HOUR_MS
    found_by_name = oracle(purchases, labels, until_ms)
    tables = {}
    for entity in Entity:
        names = [name for kind, name in found_by_name if kind == entity]
        columns = [
            [found_by_name[entity, name].get(column, np.nan) for column in view_columns(entity)]
            for name in names
        ]
        values = np.array(columns, dtype=np.float64).reshape(-1, len(view_columns(entity)))
        tables[entity] = table_of(names, values)
    keys = {entity: keys_of([getattr(one, entity)]) for entity in Entity}
    at = np.array([one.event_at_ms])
    return look_up(RiskView(until_ms, tables, LABEL_DELAY_MS), keys, at)[0]


@pytest.mark.parametrize("seed", range(4))
def test_point_in_time_features_equal_those_of_each_hours_view(seed: int) -> None:
    until_ms = NOON_MS + random.Random(seed).randrange(100) * HOUR_MS
    purchases, labels = a_world(seed, until_ms)
    found = as_of(purchases, labels)
    rows = random.Random(seed).sample(range(len(purchases)), 60)
    wanted = np.stack([by_the_hour(purchases, labels, purchases[row]) for row in rows])
    np.testing.assert_array_equal(found[rows], wanted)
    assert not np.isnan(found).all(axis=0).any()  # each feature is known for some row


def test_no_purchase_and_a_first_purchase() -> None:
    assert as_of([]).shape == (0, len(NAMES))
    assert np.isnan(as_of([Bought("s:1", NOON_MS)])).all()


@pytest.mark.parametrize(
    ("event_at_ms", "purchases"),
    [
        (NOON_MS + HOUR_MS + 15 * MINUTE_MS - 1, np.nan),
        (NOON_MS + HOUR_MS + 15 * MINUTE_MS, 1.0),
    ],
)
def test_an_hour_counts_from_a_quarter_past_its_end(event_at_ms: int, purchases: float) -> None:
    row = as_of([Bought("s:1", NOON_MS), Bought("s:2", event_at_ms)])[1]
    np.testing.assert_equal(row[NAMES.index("merchant_purchases_30d")], purchases)


def test_a_label_counts_from_the_hour_after_it_is_known() -> None:
    bought = Bought("s:1", NOON_MS)
    known_at_ms = NOON_MS + LABEL_DELAY_MS + DAY_MS
    later = [
        Bought(f"s:later {n}", known_at_ms + n * HOUR_MS + VALID_AFTER_MS, merchant_id="m")
        for n in range(2, 0, -1)
    ]
    early = Bought("s:0", known_at_ms + VALID_AFTER_MS)
    found = as_of([bought, early, *later], [OracleLabel("s:1", "fraud", known_at_ms)])
    counts = found[:, NAMES.index("merchant_plain_frauds_7d")]
    np.testing.assert_array_equal(counts, [np.nan, 0, 1, 1])


def test_a_fraud_streak_begins_after_the_last_genuine_purchase() -> None:
    days = [Bought(f"s:{day}", NOON_MS + day * DAY_MS) for day in range(5)]
    now = Bought("s:now", NOON_MS + 9 * DAY_MS)
    known_at_ms = now.event_at_ms - DAY_MS
    frauds = [OracleLabel(f"s:{day}", "fraud", known_at_ms) for day in (0, 2, 3, 4)]
    row = dict(zip(NAMES, as_of([*days, now], frauds)[-1], strict=True))
    assert row["merchant_genuine_age_days"] == 8
    assert row["merchant_fraud_run_age_days"] == 7
    assert row["merchant_plain_fraud_age_days"] == 5
    assert row["merchant_plain_frauds_7d"] == 4


def test_a_fraud_of_unusual_amount_begins_no_streak() -> None:
    usual = [Bought(f"s:{n}", NOON_MS - n * DAY_MS, merchant_id="elsewhere") for n in (1, 2)]
    large = Bought("s:large", NOON_MS, amount_eur_cents=2_001)
    now = Bought("s:now", NOON_MS + 4 * DAY_MS)
    row = as_of([*usual, large, now], [OracleLabel("s:large", "fraud", NOON_MS + DAY_MS)])[-1]
    found_by_name = dict(zip(NAMES, row, strict=True))
    assert found_by_name["merchant_plain_frauds_28d"] == 0
    assert np.isnan(found_by_name["merchant_fraud_run_age_days"])
    assert found_by_name["merchant_fraud_ratio_30d"] > 0
