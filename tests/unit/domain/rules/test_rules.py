from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES, VECTOR_INDEX
from fraudwatch.domain.rules.above_own_level import AboveOwnLevel
from fraudwatch.domain.rules.bulk_buying import BulkBuying
from fraudwatch.domain.rules.card_testing import CardTesting
from fraudwatch.domain.rules.catalogue import RULES
from fraudwatch.domain.rules.failed_payments import FailedPayments
from fraudwatch.domain.rules.high_amount import HighAmount
from fraudwatch.domain.rules.impossible_travel import ImpossibleTravel
from fraudwatch.domain.rules.new_device_high_amount import NewDeviceHighAmount
from fraudwatch.domain.rules.rapid_purchases import RapidPurchases
from fraudwatch.domain.rules.risky_merchant import RiskyMerchant
from fraudwatch.domain.rules.rule import HIT, MISS, UNKNOWN, Rule, RuleInput, all_of, any_of
from fraudwatch.domain.rules.shared_device import SharedDevice
from fraudwatch.domain.rules.spend_above_own_level import SpendAboveOwnLevel
from fraudwatch.domain.rules.unusual_hours import UnusualHours
from fraudwatch.domain.rules.watch_list_match import WatchListMatch

PAGE = (Path(__file__).parents[4] / "docs/rules.md").read_text("utf-8")


def inputs(amount_eur_cents: int = 1_000, **features: float) -> RuleInput:
    vector = np.full((1, len(VECTOR_FEATURES)), np.nan)
    for name, value in features.items():
        vector[0, VECTOR_INDEX[name]] = value
    return RuleInput(np.array([amount_eur_cents], dtype=np.int64), vector)


def answer_of(rule: Rule, batch: RuleInput) -> np.int8:
    answer: np.int8 = rule.answer(batch)[0]
    return answer


@pytest.mark.parametrize(
    ("amount_eur_cents", "answer"), [(99_999, MISS), (100_000, HIT), (250_000, HIT), (0, MISS)]
)
def test_high_amount(amount_eur_cents: int, answer: np.int8) -> None:
    rule = HighAmount(points=50, at_least_eur_cents=100_000)
    assert answer_of(rule, inputs(amount_eur_cents)) == answer


def test_high_amount_names_amount_and_limit() -> None:
    rule = HighAmount(points=50, at_least_eur_cents=100_000)
    assert rule.sentence(inputs(123_456), 0) == ("Amount 1,234.56 EUR; threshold 1,000.00 EUR.")


OWN_LEVEL = AboveOwnLevel(
    points=40,
    at_least_times_mean=10,
    at_least_deviations=4,
    at_least_eur_cents=20_000,
    at_least_purchases_30d=5,
)


@pytest.mark.parametrize(
    ("amount", "mean", "deviation", "purchases", "answer"),
    [
        (50_000, 5_000, 1_000, 5, HIT),
        (49_999, 5_000, 1_000, 5, MISS),  # not ten times the mean
        (50_000, 5_000, 11_250, 5, HIT),  # four deviations, just
        (50_000, 5_000, 11_251, 5, MISS),  # amounts of this customer vary as much
        (19_999, 1_000, 100, 5, MISS),  # too small to matter
        (50_000, 5_000, 1_000, 4, UNKNOWN),  # too little history
        (50_000, 5_000, np.nan, 5, UNKNOWN),  # one purchase has no deviation
        (19_999, np.nan, np.nan, 0, MISS),  # too small, even without history
        (50_000, np.nan, np.nan, 0, UNKNOWN),
    ],
)
def test_above_own_level(
    amount: int, mean: float, deviation: float, purchases: int, answer: np.int8
) -> None:
    batch = inputs(
        amount,
        own_amount_mean_eur_cents=mean,
        own_amount_deviation_eur_cents=deviation,
        amount_over_own_mean_ratio=amount / mean,
        purchase_count_30d=purchases,
    )
    assert answer_of(OWN_LEVEL, batch) == answer


def test_above_own_level_names_mean_and_deviation() -> None:
    batch = inputs(
        123_456,
        own_amount_mean_eur_cents=10_037,
        own_amount_deviation_eur_cents=2_011,
        amount_over_own_mean_ratio=12.3,
    )
    assert OWN_LEVEL.sentence(batch, 0) == (
        "Amount 1,234.56 EUR is 12.3 times this customer's mean of 100.37 EUR "
        "(deviation 20.11 EUR); threshold 10 times."
    )


SPEND = SpendAboveOwnLevel(
    points=40,
    at_least_times_usual_day=6,
    at_least_eur_cents=50_000,
    at_least_purchase_days_30d=5,
)


@pytest.mark.parametrize(
    ("amount", "spent_1d", "spent_30d", "days", "answer"),
    [
        (20_000, 40_000, 50_000, 5, HIT),  # 600 EUR; 100 EUR on each of five days
        (19_999, 40_000, 50_000, 5, MISS),
        (19_999, 30_000, 10_000, 5, MISS),  # below 500 EUR, however small the usual day
        (50_000, 0, 25_000, 5, HIT),  # all at once
        (50_000, 0, 25_000, 4, UNKNOWN),
        (49_999, 0, 25_000, 4, MISS),
        (60_000, 0, 0, 0, UNKNOWN),
        (60_000, np.nan, np.nan, np.nan, UNKNOWN),
    ],
)
def test_spend_above_own_level(
    amount: int, spent_1d: float, spent_30d: float, days: float, answer: np.int8
) -> None:
    batch = inputs(
        amount,
        spend_1d_eur_cents=spent_1d,
        spend_30d_eur_cents=spent_30d,
        purchase_days_30d=days,
    )
    assert answer_of(SPEND, batch) == answer


def test_spend_above_own_level_names_spend_and_usual_day() -> None:
    batch = inputs(
        20_000, spend_1d_eur_cents=30_000, spend_30d_eur_cents=40_000, purchase_days_30d=10
    )
    assert SPEND.sentence(batch, 0) == (
        "Spend of 500.00 EUR in 1 day, including this purchase, is 12.5 times this customer's "
        "usual day of 40.00 EUR; threshold 6 times."
    )


@pytest.mark.parametrize(
    ("amount", "is_new", "answer"),
    [
        (20_000, 1, HIT),
        (20_000, 0, MISS),
        (19_999, 1, MISS),
        (20_000, np.nan, UNKNOWN),
        (19_999, np.nan, MISS),  # a small amount, known device or not
    ],
)
def test_new_device_high_amount(amount: int, is_new: float, answer: np.int8) -> None:
    rule = NewDeviceHighAmount(points=30, at_least_eur_cents=20_000)
    assert answer_of(rule, inputs(amount, is_new_device=is_new)) == answer


def test_new_device_high_amount_counts_known_devices() -> None:
    rule = NewDeviceHighAmount(points=30, at_least_eur_cents=20_000)
    assert rule.sentence(inputs(123_456, known_devices_count=2), 0) == (
        "Amount 1,234.56 EUR from a new device (known devices: 2); threshold 200.00 EUR."
    )


@pytest.mark.parametrize(("items", "answer"), [(39, MISS), (40, HIT), (np.nan, UNKNOWN)])
def test_bulk_buying(items: float, answer: np.int8) -> None:
    assert answer_of(BulkBuying(points=50, at_least_items=40), inputs(item_count=items)) == answer


def test_bulk_buying_counts_items() -> None:
    rule = BulkBuying(points=50, at_least_items=40)
    assert rule.sentence(inputs(item_count=1_200), 0) == (
        "1,200 items in one purchase; threshold 40."
    )


@pytest.mark.parametrize(
    ("bought", "failed", "answer"),
    [(5, 0, MISS), (6, 0, HIT), (3, 3, HIT), (0, 0, MISS), (np.nan, np.nan, UNKNOWN)],
)
def test_rapid_purchases(bought: float, failed: float, answer: np.int8) -> None:
    rule = RapidPurchases(points=50, more_than=6)
    batch = inputs(purchase_count_10m=bought, failed_count_10m=failed)
    assert answer_of(rule, batch) == answer


def test_rapid_purchases_counts_this_one() -> None:
    rule = RapidPurchases(points=50, more_than=6)
    batch = inputs(purchase_count_10m=7, failed_count_10m=2)
    assert rule.sentence(batch, 0) == (
        "10 purchases or attempts in 10 minutes, including this one; limit 6."
    )


@pytest.mark.parametrize(
    ("share", "purchases", "answer"),
    [
        (0.004, 50, HIT),
        (0.0, 50, HIT),
        (0.005, 50, MISS),
        (0.0, 49, UNKNOWN),  # habits do not show yet
        (np.nan, 0, UNKNOWN),
    ],
)
def test_unusual_hours(share: float, purchases: int, answer: np.int8) -> None:
    rule = UnusualHours(points=10, share_below_ratio=0.005, at_least_purchases_30d=50)
    batch = inputs(own_hour_share_ratio=share, purchase_count_30d=purchases)
    assert answer_of(rule, batch) == answer


def test_unusual_hours_names_the_hour() -> None:
    rule = UnusualHours(points=10, share_below_ratio=0.005, at_least_purchases_30d=50)
    batch = inputs(hour_of_day=3, own_hour_share_ratio=0.0042, purchase_count_30d=1_210)
    assert rule.sentence(batch, 0) == (
        "0.42% of this customer's purchases are in the hour from 03:00 UTC "
        "(1,210 purchases in 30 days); minimum 0.50%."
    )


@pytest.mark.parametrize(
    ("km", "kmh", "answer"),
    [
        (6_385, 6_385, HIT),
        (6_385, 800, MISS),  # a flight
        (20, 1_200, MISS),  # two tills of one street, clocks apart
        (np.nan, np.nan, UNKNOWN),
    ],
)
def test_impossible_travel(km: float, kmh: float, answer: np.int8) -> None:
    rule = ImpossibleTravel(points=80, faster_than_kmh=1_000, farther_than_km=300)
    assert answer_of(rule, inputs(from_located_km=km, from_located_kmh=kmh)) == answer


def test_impossible_travel_names_distance_time_and_speed() -> None:
    rule = ImpossibleTravel(points=80, faster_than_kmh=1_000, farther_than_km=300)
    way = inputs(from_located_km=6_385.4, from_located_kmh=12_770.8, since_located_seconds=1_800)
    assert rule.sentence(way, 0) == (
        "6,385 km from the last card-present purchase, 30 minutes earlier: "
        "12,771 km/h; limit 1,000 km/h."
    )


@pytest.mark.parametrize(
    ("in_10m", "in_1h", "answer"),
    [
        (3, 3, HIT),
        (2, 5, HIT),  # slower, and as many
        (2, 4, MISS),
        (0, 0, MISS),
        (np.nan, np.nan, UNKNOWN),
        (3, np.nan, HIT),
        (2, np.nan, UNKNOWN),
    ],
)
def test_failed_payments(in_10m: float, in_1h: float, answer: np.int8) -> None:
    rule = FailedPayments(points=30, at_least_10m=3, at_least_1h=5)
    batch = inputs(failed_count_10m=in_10m, failed_count_1h=in_1h)
    assert answer_of(rule, batch) == answer


def test_failed_payments_names_both_counts() -> None:
    rule = FailedPayments(points=30, at_least_10m=3, at_least_1h=5)
    assert rule.sentence(inputs(failed_count_10m=3, failed_count_1h=4), 0) == (
        "Failed payments before this one: 3 in 10 minutes, 4 in 1 hour; threshold 3 or 5."
    )


CARD_TESTING = CardTesting(
    points=50, at_least_small_1h=4, at_least_failed_1h=3, at_most_seconds_since_last=300
)


@pytest.mark.parametrize(
    ("amount", "small", "failed", "since_last", "answer"),
    [
        (499, 3, 3, 20, HIT),  # the fourth small one
        (500, 3, 3, 20, MISS),  # is not small itself
        (90_000, 4, 3, 300, HIT),  # what the test was for
        (90_000, 4, 3, 301, MISS),  # the owner, some time after the test
        (90_000, 4, 3, np.nan, UNKNOWN),  # uploaded late
        (499, 9, 2, 20, MISS),  # small purchases that succeed
        (499, 2, 9, 20, MISS),
        (499, 0, 0, np.nan, MISS),  # a new customer
        (499, np.nan, np.nan, np.nan, UNKNOWN),
    ],
)
def test_card_testing(
    amount: int, small: float, failed: float, since_last: float, answer: np.int8
) -> None:
    batch = inputs(
        amount, small_count_1h=small, failed_count_1h=failed, since_last_seconds=since_last
    )
    assert answer_of(CARD_TESTING, batch) == answer


def test_card_testing_names_both_counts_and_the_time_since_the_last() -> None:
    batch = inputs(100, small_count_1h=5, failed_count_1h=4, since_last_seconds=12)
    assert CARD_TESTING.sentence(batch, 0) == (
        "In 1 hour 6 attempts below 5.00 EUR and 4 failed payments before this one, "
        "the last 12 seconds earlier; thresholds 4 and 3, limit 300 seconds."
    )


RISKY = RiskyMerchant(points=30, fraud_at_least_ratio=0.1, at_least_purchases_30d=20)


@pytest.mark.parametrize(
    ("known", "answer"),
    [
        ({"merchant_fraud_ratio_30d": 0.1, "merchant_purchases_30d": 20}, HIT),
        ({"merchant_fraud_ratio_30d": 0.0999, "merchant_purchases_30d": 20}, MISS),
        ({"merchant_fraud_ratio_30d": 0.9, "merchant_purchases_30d": 19}, MISS),
        ({"merchant_purchases_30d": 500}, UNKNOWN),  # none old enough to be labelled
        ({}, UNKNOWN),
    ],
)
def test_risky_merchant(known: dict[str, float], answer: np.int8) -> None:
    assert answer_of(RISKY, inputs(**known)) == answer


def test_risky_merchant_names_share_and_purchases() -> None:
    known = {"merchant_fraud_ratio_30d": 0.1234, "merchant_purchases_30d": 1_500}
    assert RISKY.sentence(inputs(**known), 0) == (
        "Fraud ratio of this merchant about 12.3% (1,500 purchases in 30 days); threshold 10.0%."
    )


@pytest.mark.parametrize(("known", "answer"), [({"device_customers_30d": 5}, HIT), ({}, UNKNOWN)])
def test_shared_device(known: dict[str, float], answer: np.int8) -> None:
    rule = SharedDevice(points=30, more_than_customers_30d=4)
    assert answer_of(rule, inputs(**known)) == answer
    assert answer_of(rule, inputs(device_customers_30d=4)) == MISS
    assert rule.sentence(inputs(device_customers_30d=12), 0) == (
        "12 customers used this device in 30 days; limit 4."
    )


def test_watch_list_match_hits_from_a_similarity_on_whatever_the_countries() -> None:
    rule = WatchListMatch(points=50, from_similarity=0.92)
    batch = RuleInput(
        np.full(4, 1_000),
        np.full((4, len(VECTOR_FEATURES)), np.nan),
        watch_list_entry=["x@0a1b2c3d:NK-1", "x@0a1b2c3d:NK-2", "x@0a1b2c3d:NK-3", None],
        watch_list_country=["same", "other", None, None],
        watch_list_similarity=np.array([0.92, 0.9524, 0.9199, np.nan]),
    )
    assert rule.answer(batch).tolist() == [HIT, HIT, MISS, UNKNOWN]
    assert rule.sentence(batch, 1) == (
        "The name is similar to entry x@0a1b2c3d:NK-2 of a watch list: 0.95; threshold 0.92. "
        "No address is in a country of the entry."
    )
    unknown = batch._replace(watch_list_country=())
    assert rule.sentence(unknown, 0).endswith("Countries cannot be compared.")
    assert answer_of(rule, inputs()) == UNKNOWN


def test_conditions_together() -> None:
    ones = np.array([HIT, HIT, HIT, MISS, MISS, UNKNOWN])
    others = np.array([HIT, MISS, UNKNOWN, MISS, UNKNOWN, UNKNOWN])
    assert all_of(ones, others).tolist() == [HIT, MISS, UNKNOWN, MISS, MISS, UNKNOWN]
    assert any_of(ones, others).tolist() == [HIT, HIT, HIT, MISS, UNKNOWN, UNKNOWN]


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_every_rule_answers_an_empty_batch(rule: type[Rule]) -> None:
    # Every rule's parameters are numbers, so that a policy can be checked without knowing it.
    parameters = {item.name: 1 for item in dataclasses.fields(rule)}  # type: ignore[arg-type]
    empty = RuleInput(np.empty(0, dtype=np.int64), np.empty((0, len(VECTOR_FEATURES))))
    assert rule(**parameters).answer(empty).shape == (0,)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_every_rule_is_documented(rule: type[Rule]) -> None:
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| `{rule.name}` |"))
    for item in dataclasses.fields(rule):  # type: ignore[arg-type]
        assert item.name == "points" or f"`{item.name}`" in line


@pytest.mark.parametrize("name", ["deny_list", "allow_list", "high_value", "anomaly", "model"])
def test_every_other_reason_is_documented(name: str) -> None:
    assert f"`{name}`" in PAGE
