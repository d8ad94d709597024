from __future__ import annotations

import math

import numpy as np
import pytest

from fraudwatch.domain.evaluation.drift import (
    EXPECTED_TO_MOVE,
    MIN_ROWS,
    PSI_BOUND,
    DriftMetric,
    DriftStatus,
    Measure,
    Share,
    alert_rate_measure,
    index_measure,
    needs_training,
    performance_measure,
    sentence_of,
    stability_index,
    z_of,
)
from fraudwatch.domain.features.feature_vector import VECTOR_INDEX

CHANCE = np.random.default_rng(5)


def feature(reference: np.ndarray, actual: np.ndarray, name: str = "item_count") -> Measure:
    return index_measure(DriftMetric.FEATURE, name, reference, actual)


def test_stability_index_equals_the_published_formula() -> None:
    reference = np.array([0.0] * 500 + [1.0] * 500)
    actual = np.array([0.0] * 250 + [1.0] * 750)
    wanted = (0.25 - 0.5) * math.log(0.25 / 0.5) + (0.75 - 0.5) * math.log(0.75 / 0.5)
    # Half a row more in each of four bins.
    assert stability_index(reference, actual) == pytest.approx(wanted, abs=0.002)


def test_equal_distributions_are_quiet_and_a_shift_is_not() -> None:
    for scale in (1.0, 1e9):
        reference, same = (CHANCE.lognormal(size=5_000) * scale for _ in range(2))
        assert stability_index(reference, same) < 0.02
        assert stability_index(reference, same * 2.5) > PSI_BOUND


def test_unknown_values_are_a_bin_of_their_own() -> None:
    reference, actual = CHANCE.normal(size=2_000), CHANCE.normal(size=2_000)
    actual[:1_000] = np.nan
    assert stability_index(reference, actual) > PSI_BOUND
    nothing = np.full(2_000, np.nan)
    assert stability_index(nothing, nothing) == 0
    assert stability_index(nothing, reference) > PSI_BOUND


def test_a_value_that_many_share_is_a_bin_of_its_own() -> None:
    full = np.full(4_000, 32.0)
    reference, actual = full.copy(), full.copy()
    reference[:400], actual[:1_600] = (CHANCE.uniform(0, 32, size) for size in (400, 1_600))
    assert stability_index(reference, actual) > PSI_BOUND
    assert stability_index(reference, CHANCE.permutation(reference)) == 0


def test_values_beyond_the_reference_are_counted() -> None:
    reference = CHANCE.uniform(0, 1, 2_000)
    assert stability_index(reference, reference + 10) > PSI_BOUND
    assert stability_index(reference, reference - 10) > PSI_BOUND


def test_too_few_rows_are_reported_and_not_compared() -> None:
    few = feature(np.zeros(MIN_ROWS), np.ones(MIN_ROWS - 1))
    assert (few.judgement, few.value) == (DriftStatus.TOO_FEW_ROWS, None)
    assert f"{MIN_ROWS - 1} rows" in few.said
    enough = feature(np.zeros(MIN_ROWS), np.ones(MIN_ROWS))
    assert enough.judgement is DriftStatus.PAST_BOUND


def test_features_expected_to_move_are_reported_and_not_compared() -> None:
    assert EXPECTED_TO_MOVE.keys() <= VECTOR_INDEX.keys()
    moved = feature(np.arange(7_000) % 7, np.full(2_000, 3.0), "day_of_week")
    assert moved.judgement is DriftStatus.NOT_JUDGED
    assert (moved.value or 0) > PSI_BOUND


@pytest.mark.parametrize(
    ("usual", "now", "judgement"),
    [
        (Share(100, 10_000), Share(30, 3_000), DriftStatus.QUIET),
        (Share(100, 10_000), Share(90, 3_000), DriftStatus.PAST_BOUND),
        (Share(500, 10_000), Share(30, 3_000), DriftStatus.PAST_BOUND),
        (Share(0, 10_000), Share(2, 3_000), DriftStatus.QUIET),  # by chance
        (Share(0, 10_000), Share(0, 3_000), DriftStatus.QUIET),
        (Share(100, 10_000), Share(500, 999), DriftStatus.TOO_FEW_ROWS),
    ],
)
def test_an_alert_rate_is_past_its_bound_by_a_factor(
    usual: Share, now: Share, judgement: DriftStatus
) -> None:
    assert alert_rate_measure(usual, now).judgement is judgement


@pytest.mark.parametrize(
    ("usual", "now", "judgement"),
    [
        (Share(160, 200), Share(40, 100), DriftStatus.PAST_BOUND),
        (Share(40, 100), Share(160, 200), DriftStatus.QUIET),  # better is not worse
        (Share(160, 200), Share(75, 100), DriftStatus.QUIET),
        (Share(24, 30), Share(20, 30), DriftStatus.QUIET),  # lower, and it may be chance
        (Share(160, 200), Share(1, 29), DriftStatus.TOO_FEW_ROWS),
        (Share(0, 0), Share(0, 0), DriftStatus.TOO_FEW_ROWS),
    ],
)
def test_performance_is_past_its_bound_by_a_drop(
    usual: Share, now: Share, judgement: DriftStatus
) -> None:
    measure = performance_measure(DriftMetric.PRECISION, usual, now)
    assert measure.judgement is judgement
    assert measure.value == now.ratio


def test_standard_errors_of_two_ratios() -> None:
    # By hand: pooled 0.5, error sqrt(0.25 * 0.02) = 0.0707, 0.2 apart.
    assert z_of(Share(60, 100), Share(40, 100)) == pytest.approx(0.2 / math.sqrt(0.25 * 0.02))
    assert z_of(Share(0, 100), Share(0, 100)) == 0


def test_the_summary_names_the_measures_and_requests_a_model() -> None:
    quiet = feature(np.zeros(2_000), np.zeros(2_000))
    far = feature(np.zeros(2_000), np.ones(2_000), "hour_of_day")
    few = feature(np.zeros(2), np.zeros(2))
    assert not needs_training([quiet, few])
    assert sentence_of("2026-11-20", [quiet]) == "2026-11-20: nothing is past its bound"
    assert "1 of 2 measures had too few rows" in sentence_of("2026-11-20", [quiet, few])
    assert needs_training([quiet, far])
    summary = sentence_of("2026-11-20", [quiet, far])
    assert "hour_of_day" in summary
    assert "a new model is requested" in summary
