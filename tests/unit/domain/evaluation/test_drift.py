from __future__ import annotations

import math

import numpy as np
import pytest

from fraudwatch.domain.evaluation.drift import (
    LEAST_ROWS,
    MOVES_BY_ITSELF,
    PSI_BOUND,
    Judgement,
    Measure,
    Share,
    What,
    alert_rate_measure,
    index_measure,
    performance_measure,
    sentence_of,
    stability_index,
    wants_model,
    z_of,
)
from fraudwatch.domain.features.feature_vector import SERVED_INDEX

CHANCE = np.random.default_rng(5)


def feature(reference: np.ndarray, actual: np.ndarray, name: str = "item_count") -> Measure:
    return index_measure(What.FEATURE, name, reference, actual)


def test_the_index_is_the_books_sum() -> None:
    reference = np.array([0.0] * 500 + [1.0] * 500)
    actual = np.array([0.0] * 250 + [1.0] * 750)
    wanted = (0.25 - 0.5) * math.log(0.25 / 0.5) + (0.75 - 0.5) * math.log(0.75 / 0.5)
    # Half a row more in each of four bins.
    assert stability_index(reference, actual) == pytest.approx(wanted, abs=0.002)


def test_draws_from_the_same_are_quiet_and_a_shift_is_not() -> None:
    for scale in (1.0, 1e9):
        reference, same = (CHANCE.lognormal(size=5_000) * scale for _ in range(2))
        assert stability_index(reference, same) < 0.02
        assert stability_index(reference, same * 2.5) > PSI_BOUND


def test_the_unknown_is_a_bin_of_its_own() -> None:
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


def test_few_rows_are_said_and_not_judged() -> None:
    few = feature(np.zeros(LEAST_ROWS), np.ones(LEAST_ROWS - 1))
    assert (few.judgement, few.value) == (Judgement.TOO_FEW_ROWS, None)
    assert f"{LEAST_ROWS - 1} rows" in few.said
    enough = feature(np.zeros(LEAST_ROWS), np.ones(LEAST_ROWS))
    assert enough.judgement is Judgement.PAST_BOUND


def test_what_moves_by_itself_is_told_and_not_judged() -> None:
    assert MOVES_BY_ITSELF.keys() <= SERVED_INDEX.keys()
    moved = feature(np.arange(7_000) % 7, np.full(2_000, 3.0), "day_of_week")
    assert moved.judgement is Judgement.NOT_JUDGED
    assert (moved.value or 0) > PSI_BOUND


@pytest.mark.parametrize(
    ("usual", "now", "judgement"),
    [
        (Share(100, 10_000), Share(30, 3_000), Judgement.QUIET),
        (Share(100, 10_000), Share(90, 3_000), Judgement.PAST_BOUND),
        (Share(500, 10_000), Share(30, 3_000), Judgement.PAST_BOUND),
        (Share(0, 10_000), Share(2, 3_000), Judgement.QUIET),  # by chance
        (Share(0, 10_000), Share(0, 3_000), Judgement.QUIET),
        (Share(100, 10_000), Share(500, 999), Judgement.TOO_FEW_ROWS),
    ],
)
def test_an_alert_rate_is_judged_by_its_factor(
    usual: Share, now: Share, judgement: Judgement
) -> None:
    assert alert_rate_measure(usual, now).judgement is judgement


@pytest.mark.parametrize(
    ("usual", "now", "judgement"),
    [
        (Share(160, 200), Share(40, 100), Judgement.PAST_BOUND),
        (Share(40, 100), Share(160, 200), Judgement.QUIET),  # better is not worse
        (Share(160, 200), Share(75, 100), Judgement.QUIET),
        (Share(24, 30), Share(20, 30), Judgement.QUIET),  # lower, and it may be chance
        (Share(160, 200), Share(1, 29), Judgement.TOO_FEW_ROWS),
        (Share(0, 0), Share(0, 0), Judgement.TOO_FEW_ROWS),
    ],
)
def test_performance_is_judged_by_its_drop(usual: Share, now: Share, judgement: Judgement) -> None:
    measure = performance_measure(What.PRECISION, usual, now)
    assert measure.judgement is judgement
    assert measure.value == now.ratio


def test_standard_errors_of_two_ratios() -> None:
    # By hand: pooled 0.5, error sqrt(0.25 * 0.02) = 0.0707, 0.2 apart.
    assert z_of(Share(60, 100), Share(40, 100)) == pytest.approx(0.2 / math.sqrt(0.25 * 0.02))
    assert z_of(Share(0, 100), Share(0, 100)) == 0


def test_the_run_says_which_and_asks() -> None:
    quiet = feature(np.zeros(2_000), np.zeros(2_000))
    far = feature(np.zeros(2_000), np.ones(2_000), "hour_of_day")
    few = feature(np.zeros(2), np.zeros(2))
    assert not wants_model([quiet, few])
    assert sentence_of("2026-11-20", [quiet]) == "2026-11-20: nothing is past its bound"
    assert "1 of 2 measures had too few rows" in sentence_of("2026-11-20", [quiet, few])
    assert wants_model([quiet, far])
    told = sentence_of("2026-11-20", [quiet, far])
    assert "hour_of_day" in told
    assert "a new model is asked for" in told
