from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.domain.training.folds import Fold, FoldPlan, LabelledDays, folds_of
from fraudwatch.domain.training.history import History, history_of

PLAN = FoldPlan(delay_days=3, train_days=30, test_days=7, folds=4)
FEWEST_FRAUDS = 20
HANDFUL = 5


def a_day_each(first: int, end: int, purchases: int = 90) -> dict[int, int]:
    return dict.fromkeys(range(first, end), purchases)


def folds_in(purchases: dict[int, int], frauds: dict[int, int]) -> tuple[Fold, ...]:
    history = history_of(purchases, PLAN, end=None)
    assert history is not None
    labelled = LabelledDays(frauds=frauds, others=purchases, fewest_frauds=FEWEST_FRAUDS)
    return folds_of(history.first, history.end, PLAN, labelled)


def test_without_strays_the_history_is_every_day() -> None:
    assert history_of(a_day_each(100, 120), PLAN, end=None) == History(first=100, end=120)


def test_one_stray_purchase_far_before_is_left_out() -> None:
    history = history_of({12: 1} | a_day_each(100, 120), PLAN, end=None)
    assert history == History(first=100, end=120, stray_days={12: 1})


def test_strays_just_before_and_after_are_left_out() -> None:
    purchases = {98: 2, 99: 1, 140: 3} | a_day_each(100, 120)
    history = history_of(purchases, PLAN, end=None)
    assert history == History(first=100, end=120, stray_days={98: 2, 99: 1, 140: 3})


def test_a_stray_day_of_frauds_changes_no_fold() -> None:
    purchases, frauds = a_day_each(100, 120), a_day_each(100, 120, 8)
    assert folds_in({88: 4} | purchases, {88: 4} | frauds) == folds_in(purchases, frauds)
    assert folds_in(purchases, frauds)


def test_more_stray_days_than_days_of_history_are_left_out() -> None:
    purchases = dict.fromkeys(range(50, 70), 1) | a_day_each(100, 107)
    history = history_of(purchases, PLAN, end=None)
    assert history is not None
    assert (history.first, history.end) == (100, 107)
    assert len(history.stray_days) == 20


def test_sparse_days_within_the_history_stay() -> None:
    purchases = a_day_each(100, 120) | {104: 1, 105: 0}
    assert history_of(purchases, PLAN, end=None) == History(first=100, end=120)


def test_one_very_busy_day_makes_no_other_day_sparse() -> None:
    purchases = a_day_each(100, 120) | {110: 1_000}
    assert history_of(purchases, PLAN, end=None) == History(first=100, end=120)


def test_a_long_history_begins_where_the_folds_reach() -> None:
    history = history_of({5: 1} | a_day_each(100, 400), PLAN, end=None)
    # Day 5 is as much too old for any fold as day 100 is.
    assert history == History(first=400 - PLAN.reach_days, end=400)


def test_requested_days_are_kept() -> None:
    purchases = {60: 1, 90: 2} | a_day_each(100, 120)
    history = history_of(purchases, PLAN, first=80, end=130)
    assert history == History(first=100, end=130, stray_days={90: 2})
    assert history_of(purchases, PLAN, first=70, end=75) == History(first=70, end=75)


@pytest.mark.parametrize("purchases", [{}, {5: 0}])
def test_no_purchase_gives_no_history(purchases: dict[int, int]) -> None:
    assert history_of(purchases, PLAN, end=None) is None
    assert history_of(purchases, PLAN, end=10) is None


def test_too_little_data_altogether_has_no_fold() -> None:
    assert folds_in({3: 1}, {}) == ()
    assert folds_in({3: 1} | a_day_each(100, 104), a_day_each(100, 104, 8)) == ()


@given(
    sizes=st.lists(st.integers(60, 300), min_size=1, max_size=90),
    strays=st.lists(st.tuples(st.integers(0, 1_500), st.booleans()), max_size=HANDFUL),
)
def test_a_handful_of_purchases_on_any_past_days_changes_no_fold(
    sizes: list[int], strays: list[tuple[int, bool]]
) -> None:
    begins = 1_000
    purchases = {begins + place: size for place, size in enumerate(sizes)}
    # Enough frauds in each day that folds differ by their days alone.
    frauds = dict.fromkeys(purchases, FEWEST_FRAUDS)
    more = Counter(day for day, _ in strays)
    more_frauds = Counter(day for day, is_fraud in strays if is_fraud)
    with_strays = folds_in(dict(Counter(purchases) + more), dict(Counter(frauds) + more_frauds))
    assert with_strays == folds_in(purchases, frauds)
