from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.domain.arrays import Bools, Float64s
from fraudwatch.domain.evaluation.calibration import (
    base_rate_brier,
    brier_score,
    calibration_slope,
    reliability_bins,
    wilson_interval,
)


def drawn(score: Float64s, seed: int = 5) -> Bools:
    """Labels that are fraud exactly as often as the scores say."""
    return np.random.default_rng(seed).random(len(score)) < score


def test_brier_scores_of_four_purchases() -> None:
    score = np.array([0.9, 0.6, 0.2, 0.0])
    is_fraud = np.array([True, False, False, False])
    assert brier_score(score, is_fraud) == pytest.approx((0.01 + 0.36 + 0.04) / 4)
    assert base_rate_brier(is_fraud) == pytest.approx(0.25 * 0.75)
    rate_alone = np.full(4, 0.25)
    assert brier_score(rate_alone, is_fraud) == pytest.approx(base_rate_brier(is_fraud))


def test_a_calibrated_score_has_slope_one_and_every_bin_inside_its_interval() -> None:
    score = np.random.default_rng(1).beta(0.3, 2.0, 200_000)
    is_fraud = drawn(score)
    assert calibration_slope(score, is_fraud) == pytest.approx(1.0, abs=0.03)
    bins = reliability_bins(score, is_fraud)
    assert [one.is_inside for one in bins] == [True] * 5
    sizes = [one.purchases for one in bins]
    assert sum(sizes) == (score >= 0.1).sum()
    assert max(sizes) - min(sizes) <= 1
    predicted = [one.predicted for one in bins]
    assert predicted == sorted(predicted)


def test_scores_that_are_too_extreme_have_a_slope_below_one_and_bins_outside() -> None:
    true_share = np.random.default_rng(1).uniform(0.3, 0.7, 50_000)
    score = np.clip(3 * (true_share - 0.5) + 0.5, 0, 1)
    is_fraud = drawn(true_share)
    assert calibration_slope(score, is_fraud) == pytest.approx(1 / 3, abs=0.05)
    bins = reliability_bins(score, is_fraud)
    assert not bins[0].is_inside
    assert not bins[-1].is_inside


def test_only_purchases_from_the_score_on_count() -> None:
    score = np.array([0.05, 0.05, 0.2, 0.4])
    is_fraud = np.array([True, True, False, True])
    assert calibration_slope(score, is_fraud) == pytest.approx(5.0)
    assert [one.observed for one in reliability_bins(score, is_fraud)] == [0.0, 1.0]
    assert calibration_slope(score, is_fraud, from_score=0.0) < 0
    low, high = reliability_bins(score, is_fraud, from_score=0.0, bins=2)
    assert (low.predicted, low.observed) == (0.05, 1.0)
    assert (high.predicted, high.observed) == pytest.approx((0.3, 0.5))


def test_nothing_is_measured_where_nothing_is_known() -> None:
    nothing, no_label = np.empty(0), np.empty(0, np.bool_)
    assert math.isnan(brier_score(nothing, no_label))
    assert math.isnan(base_rate_brier(no_label))
    assert math.isnan(calibration_slope(nothing, no_label))
    assert math.isnan(calibration_slope(np.full(3, 0.5), np.array([True, False, True])))
    assert reliability_bins(nothing, no_label) == []
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_wilson_intervals_of_the_literature() -> None:
    # Newcombe 1998, table I, method 3: 81/263, 15/148, 0/20, 1/29.
    for found, purchases, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson_interval(found, purchases) == pytest.approx((low, high), abs=1e-4)


@given(purchases=st.integers(1, 5_000), share=st.floats(0, 1))
def test_an_interval_holds_the_observed_share_and_mirrors(purchases: int, share: float) -> None:
    found = round(share * purchases)
    low, high = wilson_interval(found, purchases)
    assert 0.0 <= low <= found / purchases <= high <= 1.0
    mirrored = wilson_interval(purchases - found, purchases)
    assert mirrored == pytest.approx((1 - high, 1 - low))
