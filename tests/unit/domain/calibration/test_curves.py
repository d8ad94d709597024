from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.domain.arrays import Bools, Float64s, Int64s
from fraudwatch.domain.calibration.alert_curve import (
    AlertCurve,
    FloorsAboveBudget,
    alert_curve_of,
)
from fraudwatch.domain.calibration.calibrator import BrokenCalibration
from fraudwatch.domain.calibration.labelled_curve import LabelledCurve, labelled_curve_of
from fraudwatch.domain.calibration.novelty_curve import NoveltyCurve, novelty_curve_of

RULES = ("card_testing", "high_amount", "deny_list")
SCORES = st.lists(st.integers(0, 1_000).map(lambda n: n / 1_000), min_size=1, max_size=300)


def purchases(days: int, a_day: int, seed: int) -> tuple[Float64s, Int64s, Bools]:
    random = np.random.default_rng(seed)
    count = days * a_day
    hits = random.random((count, len(RULES))) < [0.0005, 0.002, 0.0001]
    score = random.beta(0.1, 8, count) + 0.1 * hits.any(axis=1)
    return np.clip(score, 0, 1), random.permutation(np.arange(count) % days), hits


def alerts(score: Float64s, hits: Bools, review_from: float, floors: Collection[str]) -> int:
    is_floor = np.isin(RULES, list(floors))
    return int(((score >= review_from) | hits[:, is_floor].any(axis=1)).sum())


@pytest.mark.parametrize("budget", [1, 2, 5, 20, 60, 200, 1_000])
@pytest.mark.parametrize("floors", [frozenset[str](), frozenset({"deny_list"})])
def test_a_budget_is_met_within_a_few_percent(budget: int, floors: frozenset[str]) -> None:
    score, day, hits = purchases(10, 5_000, 1)
    curve = alert_curve_of(score, day, hits, RULES)
    found = alerts(score, hits, curve.review_from(budget, floors), floors) / 10
    assert 0.95 * budget - 0.1 <= found <= budget


@given(
    SCORES,
    st.integers(0, 2**32 - 1),
    st.floats(0, 50),
    st.sets(st.sampled_from(RULES)),
    st.integers(1, 9),
)
def test_bounds_keep_every_budget(
    scores: list[float], seed: int, budget: float, floors: set[str], days: int
) -> None:
    random = np.random.default_rng(seed)
    score, day = np.array(scores), random.integers(0, days, len(scores))
    hits = random.random((len(scores), len(RULES))) < 0.1
    curve, known = alert_curve_of(score, day, hits, RULES), len(set(day.tolist()))
    assert curve.floors_a_day(floors) == alerts(score, hits, math.inf, floors) / known
    for place, threshold in enumerate(curve.thresholds):
        found = alerts(score, hits, threshold, floors) / known
        assert curve.alerts_a_day(float(threshold), floors) == found
        assert place == 0 or found <= curve.alerts_a_day(curve.thresholds[place - 1], floors)
    if curve.floors_a_day(floors) > budget:
        with pytest.raises(FloorsAboveBudget, match=r"alone make .* alerts a day"):
            curve.review_from(budget, floors)
        return
    bound = curve.review_from(budget, floors)
    assert alerts(score, hits, bound, floors) <= budget * known
    assert curve.review_from(budget + 1, floors) <= bound


def test_counts_by_the_set_of_rules_that_hit() -> None:
    hits = np.array([[0, 0, 0], [1, 0, 1], [1, 0, 1], [0, 1, 0]], dtype=bool)
    curve = alert_curve_of(np.array([0.9, 0.2, 0.4, 0.1]), np.array([7, 7, 9, 9]), hits, RULES)
    assert curve.days == 2
    assert curve.thresholds.tolist() == [0.0, 0.1, 0.2, 0.4, 0.9]
    assert {rules: counts.tolist() for rules, counts in curve.alerts.items()} == {
        (): [1, 1, 1, 1, 1],
        ("card_testing", "deny_list"): [2, 2, 2, 1, 0],
        ("high_amount",): [1, 1, 0, 0, 0],
    }
    assert curve.alerts_a_day(0.3, {"deny_list"}) == 1.5
    assert curve.alerts_a_day(0.3, set()) == 1.5  # at most: counted from 0.2
    assert curve.alerts_a_day(math.inf, {"high_amount"}) == 0.5
    assert curve.review_from(0.5, {"high_amount"}) == math.inf
    assert curve.review_from(0.4, set()) == math.inf
    with pytest.raises(FloorsAboveBudget) as raised:
        curve.review_from(0.9, {"deny_list", "high_amount"})
    assert raised.value.floors_a_day == 1.5


def test_the_grid_of_many_purchases_stays_small() -> None:
    score, day, hits = purchases(10, 100_000, 3)
    curve = alert_curve_of(score, day, hits, RULES)
    assert len(curve.thresholds) < 1_200
    assert sum(int(counts[0]) for counts in curve.alerts.values()) == len(score)


@pytest.mark.parametrize("score", [[], [np.nan], [1.1], [-0.1]])
def test_scores_of_curves_are_checked(score: list[float]) -> None:
    values, day = np.array(score), np.zeros(len(score), dtype=np.int64)
    with pytest.raises(BrokenCalibration, match="from 0 to 1"):
        alert_curve_of(values, day, np.zeros((len(score), 3), dtype=bool), RULES)
    with pytest.raises(BrokenCalibration, match="from 0 to 1"):
        labelled_curve_of(values, day > 0, np.ones(len(score)))
    with pytest.raises(BrokenCalibration, match="from 0 to 1"):
        novelty_curve_of(values, np.zeros(len(score)), day, 0.1)


def labelled(is_fraud: Sequence[int], weight: float = 1.0) -> LabelledCurve:
    """Curve of purchases by falling score."""
    count = len(is_fraud)
    score = np.linspace(1.0, 0.0, count)
    return labelled_curve_of(score, np.array(is_fraud, dtype=bool), np.full(count, weight))


def test_shares_follow_the_rule_of_succession() -> None:
    curve = labelled([1, 1, 0, 1, *[0] * 96])
    fourth = 1 - 3 / 99
    assert curve.precision_from(fourth) == (3 + 1) / (4 + 2)
    assert curve.honest_share_from(fourth) == (1 + 1) / (97 + 2)
    assert curve.precision_from(1.5) == 1 / 2
    assert curve.honest_share_from(1.5) == 1 / (97 + 2)
    assert curve.precision_from(0.0) == (3 + 1) / (100 + 2)
    heavy = labelled([1, 1, 0, 1, *[0] * 96], weight=20.0)
    assert heavy.precision_from(fourth) == pytest.approx(curve.precision_from(fourth))


def test_declines_begin_where_both_bounds_hold() -> None:
    # 50 sure frauds, then one in two, then honest ones.
    curve = labelled([1] * 50 + [1, 0] * 20 + [0] * 20_000)
    bound = curve.decline_from(0.9, 1e-3)
    assert curve.precision_from(bound) >= 0.9 > curve.precision_from(bound - 1.5 / 20_090)
    assert curve.decline_from(0.9, 1e-4) > bound  # at most one honest among the 20,020
    assert curve.decline_from(0.9, 1e-5) == math.inf
    assert curve.decline_from(0.999, 1.0) == math.inf


def test_few_honest_purchases_prove_no_low_share() -> None:
    assert labelled([1] * 100 + [0] * 1_000).decline_from(0.9, 0.00005) == math.inf
    assert labelled([1] * 7).decline_from(0.9, 1.0) == math.inf
    assert labelled([1] * 8 + [0] * 8).decline_from(0.9, 1.0) == 1 - 7 / 15


def test_one_honest_purchase_at_the_top_forbids_no_decline() -> None:
    assert labelled([0] + [1] * 200 + [0] * 100).decline_from(0.9, 1.0) < 1 - 200 / 301


def test_a_bad_stretch_above_forbids_declines() -> None:
    ranked = [1] * 60 + [1, 0] * 60 + [1] * 2_000 + [0] * 1_000
    curve = labelled(ranked)
    assert curve.precision_from(1 - 2_179 / (len(ranked) - 1)) > 0.95
    assert curve.decline_from(0.9, 1.0) > 1 - 180 / (len(ranked) - 1)


@given(
    st.lists(st.booleans(), min_size=1, max_size=300),
    st.floats(0.5, 0.95),
    st.floats(0, 1),
    st.floats(0, 0.04),
)
def test_declines_never_break_a_bound_and_rise_with_it(
    is_fraud: list[bool], precision: float, share: float, stricter: float
) -> None:
    curve = labelled(is_fraud)
    bound = curve.decline_from(precision, share)
    if bound < math.inf:
        assert curve.precision_from(bound) >= precision
        assert curve.honest_share_from(bound) <= share
    assert curve.decline_from(precision, share - stricter) >= bound


def test_equal_scores_are_declined_together() -> None:
    score = np.repeat([0.9, 0.5, 0.1], [100, 100, 1_000])
    is_fraud = np.concatenate([np.ones(100), np.arange(100) < 85, np.zeros(1_000)]).astype(bool)
    curve = labelled_curve_of(score, is_fraud, np.ones(1_200))
    assert curve.thresholds.tolist() == [0.9, 0.5, 0.1]
    assert (curve.honest.tolist(), curve.fraud.tolist()) == ([0, 15, 1015], [100, 185, 185])
    assert curve.decline_from(0.95, 1.0) == 0.9
    assert curve.decline_from(0.9, 1.0) == 0.5


def test_precision_near_a_score_is_that_of_a_hundred_purchases() -> None:
    ranked = [1] * 200 + [1, 0] * 200 + [0] * 2_000
    curve = labelled(ranked)
    assert curve.precision_near(1.0) == 1.0
    assert curve.precision_near(1 - 100 / (len(ranked) - 1)) == 1.0
    assert curve.precision_near(1 - 400 / (len(ranked) - 1)) == pytest.approx(0.5, abs=0.02)
    assert curve.precision_near(0.0) == 0.0
    assert labelled([1, 0]).precision_near(0.5) == 0.5


def test_novelties_are_the_most_unusual_of_the_harmless() -> None:
    random = np.random.default_rng(5)
    anomaly, score = random.random(40_000), random.random(40_000)
    curve = novelty_curve_of(anomaly, score, np.arange(40_000) % 20, harmless_below=0.5)
    for budget in (1, 10, 500):
        bound = curve.anomaly_from(budget)
        found = ((anomaly >= bound) & (score < 0.5)).sum() / 20
        assert 0.98 * budget - 0.05 <= found <= budget
        assert curve.alerts_a_day(bound) == found
    assert curve.anomaly_from(0.01) == math.inf
    assert curve.alerts_a_day(math.inf) == 0
    assert curve.anomaly_from(1e6) == anomaly[score < 0.5].min()


def test_novelties_that_tie_above_the_budget_are_none() -> None:
    curve = novelty_curve_of(np.ones(10), np.zeros(10), np.zeros(10, dtype=np.int64), 0.5)
    assert curve.anomaly_from(9) == math.inf
    assert curve.anomaly_from(10) == 1.0
    none = novelty_curve_of(np.ones(10), np.ones(10), np.zeros(10, dtype=np.int64), 0.5)
    assert none.anomaly_from(10) == math.inf
    assert none.alerts_a_day(0.5) == 0


def array(*numbers: float) -> Any:
    return np.array(numbers)


@pytest.mark.parametrize(
    ("days", "thresholds", "alerts"),
    [
        (0, array(0.0), {(): array(1)}),
        (1, array(0.0), {}),
        (1, array(), {(): array()}),
        (1, array(0.5), {(): array(1)}),
        (1, array(0.0, 0.0), {(): array(1, 1)}),
        (1, array(0.0, 1.1), {(): array(1, 1)}),
        (1, array(0.0, np.nan), {(): array(1, 1)}),
        (1, array(0.0, 0.5), {(): array(1)}),
        (1, array(0.0, 0.5), {(): array(1, 2)}),
        (1, array(0.0, 0.5), {(): array(1, -1)}),
        (1, array(0.0, 0.5), {("b", "a"): array(1, 1)}),
    ],
)
def test_an_unsound_alert_curve_is_refused(days: int, thresholds: Any, alerts: Any) -> None:
    with pytest.raises(BrokenCalibration):
        AlertCurve(days, thresholds, alerts)


@pytest.mark.parametrize(
    ("thresholds", "honest", "fraud", "heaviest"),
    [
        (array(), array(), array(), 1.0),
        (array(0.1, 0.2), array(1, 2), array(0, 0), 1.0),
        (array(0.2, np.nan), array(1, 2), array(0, 0), 1.0),
        (array(1.2, 0.1), array(1, 2), array(0, 0), 1.0),
        (array(0.2, 0.1), array(1), array(0, 0), 1.0),
        (array(0.2, 0.1), array(2, 1), array(0, 2), 1.0),
        (array(0.2, 0.1), array(1, 1), array(0, 0), 1.0),
        (array(0.2, 0.1), array(1, np.inf), array(0, 0), 1.0),
        (array(0.2, 0.1), array(1, 2), array(0, 0), 0.0),
        (array(0.2, 0.1), array(1, 2), array(0, 0), 3.0),
    ],
)
def test_an_unsound_labelled_curve_is_refused(
    thresholds: Any, honest: Any, fraud: Any, heaviest: float
) -> None:
    with pytest.raises(BrokenCalibration):
        LabelledCurve(thresholds, honest, fraud, heaviest)


@pytest.mark.parametrize(
    ("days", "below", "anomalies", "purchases"),
    [
        (0, 0.5, array(0.5), array(1)),
        (1, 1.5, array(0.5), array(1)),
        (1, 0.5, array(0.5), array(1, 2)),
        (1, 0.5, array(0.5, 0.6), array(1, 2)),
        (1, 0.5, array(0.6, 0.5), array(2, 2)),
        (1, 0.5, array(1.6, 0.5), array(1, 2)),
        (1, 0.5, array(0.6), array(0)),
    ],
)
def test_an_unsound_novelty_curve_is_refused(
    days: int, below: float, anomalies: Any, purchases: Any
) -> None:
    with pytest.raises(BrokenCalibration):
        NoveltyCurve(days, below, anomalies, purchases)
