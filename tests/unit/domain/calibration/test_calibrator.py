from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from fraudwatch.domain.arrays import Bools, Float64s
from fraudwatch.domain.calibration.calibrator import (
    HIGHEST_KNOT,
    LOG_ODDS_LIMIT,
    LOWEST_KNOT,
    RESOLUTION,
    SMALLEST_SLOPE,
    BrokenCalibration,
    Calibrator,
    probability_of,
)
from fraudwatch.domain.calibration.fit_calibrator import MIN_FRAUDS, fit_calibrator
from fraudwatch.domain.calibration.isotonic import rising_blocks

LIMITED = st.floats(-LOG_ODDS_LIMIT, LOG_ODDS_LIMIT, width=32)


def a_sample(count: int, seed: int, *, offset: float = 0.0) -> tuple[Float64s, Bools, Float64s]:
    """Log-odds whose true odds of fraud are lower by ``offset`` than the model's, half as steep."""
    random = np.random.default_rng(seed)
    log_odds = random.normal(-5.0, 3.0, count).astype(np.float32).astype(np.float64)
    is_fraud = random.random(count) < probability_of(log_odds / 2 - 1.0 - offset)
    return log_odds, is_fraud, np.ones(count)


@st.composite
def calibrators(draw: st.DrawFn) -> Calibrator:
    knots = np.array(sorted(draw(st.sets(LIMITED, min_size=1, max_size=12))))
    knots = knots[np.append(True, np.diff(knots) > RESOLUTION)]
    rises = draw(st.lists(st.floats(0, 3), min_size=len(knots), max_size=len(knots)))
    first = draw(st.floats(LOWEST_KNOT, HIGHEST_KNOT))
    values = np.minimum(first + np.cumsum([0.0, *rises[1:]]), HIGHEST_KNOT)
    return Calibrator(knots, values + SMALLEST_SLOPE * (knots - knots[0]))


@given(calibrators(), st.lists(LIMITED, min_size=2, max_size=50))
def test_the_models_order_survives(calibrator: Calibrator, log_odds: list[float]) -> None:
    ranked = np.array(sorted({round(one / RESOLUTION / 1.5) for one in log_odds}))
    ranked = np.clip(ranked * RESOLUTION * 1.5, -LOG_ODDS_LIMIT, LOG_ODDS_LIMIT)
    found = calibrator.probability(ranked)
    assert (np.diff(found) > 0).all()
    assert ((found > 0) & (found < 1)).all()


@given(calibrators(), LIMITED)
def test_neighbouring_margins_stay_apart(calibrator: Calibrator, log_odds: float) -> None:
    one = np.float32(log_odds)
    two = max(np.nextafter(one, np.float32(99)), one + np.float32(1.1 * RESOLUTION))
    low, high = calibrator.probability(np.array([one, two], dtype=np.float64))
    assert low < high or two > LOG_ODDS_LIMIT


@given(calibrators(), st.lists(st.floats(allow_nan=False, width=32), min_size=2, max_size=20))
def test_no_order_is_ever_reversed(calibrator: Calibrator, log_odds: list[float]) -> None:
    found = calibrator.probability(np.array(sorted(log_odds)))
    assert (np.diff(found) >= 0).all()
    assert ((found >= 0) & (found <= 1)).all()


@given(calibrators(), st.lists(st.floats(width=32), min_size=1, max_size=20), st.data())
def test_a_score_does_not_depend_on_its_batch(
    calibrator: Calibrator, log_odds: list[float], data: st.DataObject
) -> None:
    batch = np.array(log_odds)
    row = data.draw(st.integers(0, len(batch) - 1))
    alone = calibrator.probability(batch[row : row + 1])
    assert calibrator.probability(batch)[row].tobytes() == alone.tobytes()


def test_knots_and_what_is_between_and_beyond_them() -> None:
    calibrator = Calibrator(np.array([-2.0, 2.0]), np.array([-3.0, -1.0]))
    found = calibrator.probability(np.array([-4.0, -2.0, 0.0, 2.0, 3.5, np.nan]))
    expected = probability_of(np.array([-5.0, -3.0, -2.0, -1.0, 0.5]))
    assert found[:5] == pytest.approx(expected)
    assert np.isnan(found[5])
    assert len(calibrator.probability(np.empty(0))) == 0


def test_log_odds_that_saturate_float32_keep_their_order() -> None:
    calibrator = Calibrator(np.array([0.0]), np.array([0.0]))
    margins = np.array([17.5, 18.0, 19.0, 25.0, 29.0, 30.0])
    assert (probability_of(margins).astype(np.float32) == 1).all()
    assert len(set(calibrator.probability(margins))) == len(margins)


@pytest.mark.parametrize(
    ("log_odds", "calibrated", "complaint"),
    [
        ([], [], "finite numbers"),
        ([0.0], [0.0, 1.0], "finite numbers"),
        ([[0.0]], [[0.0]], "finite numbers"),
        ([0.0, np.nan], [0.0, 1.0], "finite numbers"),
        ([0.0, 1.0], [0.0, np.inf], "finite numbers"),
        ([0.0, 0.0], [0.0, 1.0], "do not rise"),
        ([1.0, 0.0], [0.0, 1.0], "do not rise"),
        ([0.0, 1.0], [1.0, 0.0], "do not rise"),
        ([0.0, 1.0], [0.0, 0.009], "do not rise"),
        ([0.0, 31.0], [0.0, 1.0], "beyond log-odds of 30"),
        ([0.0, 1.0], [0.0, 14.0], "below 14"),
        ([0.0, 1.0], [-31.0, 0.0], "from -30"),
    ],
)
def test_unsound_knots_are_refused(
    log_odds: list[float], calibrated: list[float], complaint: str
) -> None:
    with pytest.raises(BrokenCalibration, match=complaint):
        Calibrator(np.array(log_odds), np.array(calibrated))


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 5)), min_size=1, max_size=40))
def test_blocks_are_those_of_isotonic_regression(rows: list[tuple[int, int]]) -> None:
    values, weights = np.array(rows, dtype=np.float64).T
    starts = rising_blocks(values, weights)
    sums = np.add.reduceat(values * weights, starts) / np.add.reduceat(weights, starts)
    found = np.repeat(sums, np.diff(np.append(starts, len(values))))
    ranks = np.arange(len(values))
    oracle = IsotonicRegression().fit(ranks, values, weights).predict(ranks)
    assert found == pytest.approx(oracle)
    assert (np.diff(sums) > 0).all()


def test_the_fit_finds_the_true_odds() -> None:
    calibrator = fit_calibrator(*a_sample(300_000, 1))
    later, is_fraud, _ = a_sample(300_000, 2)
    found = calibrator.probability(later)
    truth = probability_of(later / 2 - 1.0)
    is_high = truth >= 0.1
    slope = np.polyfit(found[is_high], is_fraud[is_high], 1)[0]
    assert 0.95 < slope < 1.05
    assert np.abs(found - truth)[is_high].max() < 0.1
    assert np.abs(found - truth)[is_high].mean() < 0.02
    assert found.mean() == pytest.approx(truth.mean(), rel=0.02)
    base_rate = is_fraud.mean()
    assert np.mean((found - is_fraud) ** 2) < base_rate * (1 - base_rate)


def test_weights_count_as_that_many_purchases() -> None:
    log_odds, is_fraud, _ = a_sample(100_000, 3)
    weight = np.where(is_fraud, 1.0, 4.0)
    found = fit_calibrator(log_odds, is_fraud, weight).probability(log_odds)
    assert np.average(found, weights=weight) == pytest.approx(
        np.average(is_fraud, weights=weight), rel=0.05
    )


@given(st.integers(0, 2**32 - 1), st.integers(1, 400), st.floats(-8, 8), st.integers(1, 30))
def test_any_sample_gives_a_sound_calibrator(
    seed: int, count: int, middle: float, distinct: int
) -> None:
    random = np.random.default_rng(seed)
    log_odds = np.round(random.normal(middle, 3, count) * distinct) / distinct
    is_fraud = random.random(count) < random.random()
    calibrator = fit_calibrator(log_odds, is_fraud, random.uniform(0.5, 20, count))
    ends = calibrator.probability(np.array([-LOG_ODDS_LIMIT, LOG_ODDS_LIMIT]))
    assert 0 < ends[0] < ends[1] < 1


@pytest.mark.parametrize("frauds", [0, 3, 100])
def test_too_little_evidence_is_a_shift_to_the_observed_rate(frauds: int) -> None:
    log_odds = np.linspace(-6.0, 2.0, 100)
    is_fraud = np.arange(100) >= 100 - frauds
    calibrator = fit_calibrator(log_odds, is_fraud, np.ones(100))
    assert len(calibrator.log_odds) == 1
    assert calibrator.probability(log_odds).mean() == pytest.approx((frauds + 0.5) / 101, abs=1e-3)


def test_few_frauds_at_the_top_make_no_step_of_their_own() -> None:
    log_odds = np.linspace(-8.0, 8.0, 10_000)
    is_fraud = np.zeros(10_000, dtype=bool)
    is_fraud[-(MIN_FRAUDS - 1) :] = True
    is_fraud[5_000:9_000:100] = True
    top = fit_calibrator(log_odds, is_fraud, np.ones(10_000)).probability(log_odds[-1:])
    assert top[0] < 0.9


def test_equal_log_odds_are_one_bin() -> None:
    log_odds = np.repeat([-5.0, 1.0, 2.0], [10_000, 50, 50])
    is_fraud = np.concatenate([np.zeros(10_000), np.tile([0, 1], 25), np.ones(50)]).astype(bool)
    calibrator = fit_calibrator(log_odds, is_fraud, np.ones(len(log_odds)))
    assert calibrator.log_odds == pytest.approx([-5.0, 1.0, 2.0])
    found = calibrator.probability(calibrator.log_odds)
    assert found == pytest.approx([0.5 / 10_001, 25.5 / 51, 50.5 / 51])


@pytest.mark.parametrize(
    ("log_odds", "weight", "complaint"),
    [
        ([], [], "no labelled purchase"),
        ([np.nan], [1.0], "not finite"),
        ([1.0], [0.0], "not above 0"),
    ],
)
def test_rows_to_calibrate_on_are_checked(
    log_odds: list[float], weight: list[float], complaint: str
) -> None:
    with pytest.raises(BrokenCalibration, match=complaint):
        fit_calibrator(np.array(log_odds), np.ones(len(log_odds), dtype=bool), np.array(weight))
