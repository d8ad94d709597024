from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fraudwatch.domain.features.catalogue import FEATURE_INDEX, FEATURES
from fraudwatch.domain.rules.catalogue import RULES
from fraudwatch.domain.rules.high_amount import HighAmount
from fraudwatch.domain.rules.impossible_travel import ImpossibleTravel
from fraudwatch.domain.rules.rapid_purchases import RapidPurchases
from fraudwatch.domain.rules.rule import HIT, MISS, UNKNOWN, Rule, Seen


def seen(amount_eur_cents: int = 100, **features: float) -> Seen:
    vector = np.full((1, len(FEATURES)), np.nan)
    for name, value in features.items():
        vector[0, FEATURE_INDEX[name]] = value
    return Seen(np.array([amount_eur_cents], dtype=np.int64), vector)


@pytest.mark.parametrize(
    ("amount_eur_cents", "answer"), [(99_999, MISS), (100_000, HIT), (250_000, HIT), (0, MISS)]
)
def test_high_amount(amount_eur_cents: int, answer: np.int8) -> None:
    rule = HighAmount(points=50, at_least_eur_cents=100_000)
    assert rule.answer(seen(amount_eur_cents))[0] == answer


def test_high_amount_names_amount_and_bound() -> None:
    rule = HighAmount(points=50, at_least_eur_cents=100_000)
    assert rule.sentence(seen(123_456), 0) == (
        "1,234.56 EUR in one purchase; from 1,000.00 EUR on it is looked at."
    )


@pytest.mark.parametrize(
    ("bought", "failed", "answer"), [(5, 0, MISS), (6, 0, HIT), (3, 3, HIT), (0, 0, MISS)]
)
def test_rapid_purchases(bought: int, failed: int, answer: np.int8) -> None:
    rule = RapidPurchases(points=50, more_than=6)
    looked_at = seen(purchase_count_10m=bought, failed_count_10m=failed)
    assert rule.answer(looked_at)[0] == answer


def test_rapid_purchases_counts_this_one() -> None:
    rule = RapidPurchases(points=50, more_than=6)
    looked_at = seen(purchase_count_10m=7, failed_count_10m=2)
    assert rule.sentence(looked_at, 0) == (
        "10 purchases or attempts within ten minutes, this one included; up to 6 are usual."
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
    assert rule.answer(seen(from_located_km=km, from_located_kmh=kmh))[0] == answer


def test_impossible_travel_tells_the_way() -> None:
    rule = ImpossibleTravel(points=80, faster_than_kmh=1_000, farther_than_km=300)
    way = seen(from_located_km=6_385.4, from_located_kmh=12_770.8, since_located_seconds=1_800)
    assert rule.sentence(way, 0) == (
        "6,385 km from the last purchase with the card present, 30 minutes earlier: "
        "12,771 km/h, and 1,000 is the limit."
    )


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_every_rule_answers_an_empty_batch(rule: type[Rule]) -> None:
    # Every rule's parameters are numbers, so that a policy can be checked without knowing it.
    parameters = {item.name: 1 for item in dataclasses.fields(rule)}  # type: ignore[arg-type]
    nobody = Seen(np.empty(0, dtype=np.int64), np.empty((0, len(FEATURES))))
    assert rule(**parameters).answer(nobody).shape == (0,)
