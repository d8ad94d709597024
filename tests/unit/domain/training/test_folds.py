from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.domain.training.folds import FoldPlan, LabelledDays, folds_of

WEEKLY = FoldPlan(delay_days=7, train_days=7, test_days=7, folds=4)
TWO_A_DAY = LabelledDays(
    frauds=dict.fromkeys(range(200), 2), others=dict.fromkeys(range(200), 2), fewest_frauds=2
)


def days(fold: object) -> tuple[int, ...]:
    names = ("train_first", "train_end", "test_first", "test_end", "known_on")
    return tuple(getattr(fold, name) for name in names)


def test_folds_of_the_handbooks_protocol() -> None:
    assert [days(fold) for fold in folds_of(0, 56, WEEKLY, TWO_A_DAY)] == [
        (7, 14, 21, 28, 21),
        (14, 21, 28, 35, 28),
        (21, 28, 35, 42, 35),
        (28, 35, 42, 49, 42),
    ]


def test_a_first_week_is_split_once_and_not_prequential() -> None:
    plan = FoldPlan(delay_days=3, train_days=30, test_days=7, folds=4)
    (fold,) = folds_of(100, 107, plan, TWO_A_DAY)
    assert days(fold) == (100, 103, 103, 104, 107)
    assert not fold.is_prequential


def test_test_days_are_shortened_to_fit_a_fold() -> None:
    plan = FoldPlan(delay_days=3, train_days=30, test_days=7, folds=2)
    found = folds_of(0, 14, plan, TWO_A_DAY)
    assert [days(fold) for fold in found] == [(0, 4, 7, 11, 7)]
    assert found[0].is_prequential


def test_too_young_a_lake_has_no_fold() -> None:
    plan = FoldPlan(delay_days=3, train_days=30, test_days=7, folds=4)
    assert folds_of(0, 4, plan, TWO_A_DAY) == ()
    assert folds_of(0, 0, plan, TWO_A_DAY) == ()
    assert len(folds_of(0, 5, plan, TWO_A_DAY)) == 1


def test_test_days_are_shortened_until_the_training_days_hold_enough_frauds() -> None:
    plan = FoldPlan(delay_days=3, train_days=30, test_days=7, folds=1)
    late = LabelledDays(
        frauds=dict.fromkeys(range(6, 40), 5), others=dict.fromkeys(range(40), 9), fewest_frauds=10
    )
    # Frauds are known from day 6 on: two days of them are needed, up to day 8.
    assert [days(fold) for fold in folds_of(0, 21, plan, late)] == [(0, 8, 11, 18, 11)]
    assert [days(fold) for fold in folds_of(0, 20, plan, late)] == [(0, 8, 11, 17, 11)]


@pytest.mark.parametrize("frauds", [{}, {10: 9}], ids=["none", "too few"])
def test_without_enough_labels_the_longest_folds_are_planned(frauds: dict[int, int]) -> None:
    plan = FoldPlan(delay_days=3, train_days=30, test_days=7, folds=2)
    poor = LabelledDays(frauds=frauds, others=TWO_A_DAY.others, fewest_frauds=10)
    assert folds_of(0, 40, plan, poor) == folds_of(0, 40, plan, TWO_A_DAY)


def test_days_need_frauds_and_other_purchases() -> None:
    labelled = LabelledDays(frauds={1: 3, 2: 3, 4: 6}, others={0: 1, 1: 1}, fewest_frauds=6)
    assert labelled.are_enough(1, 3)
    assert not labelled.are_enough(1, 2)  # three frauds
    assert not labelled.are_enough(2, 5)  # frauds alone
    assert not labelled.are_enough(0, 1)  # no fraud


def test_a_plan_without_days_is_refused() -> None:
    with pytest.raises(ValueError, match="a day to train on"):
        FoldPlan(delay_days=0, train_days=0, test_days=1, folds=1)


@given(
    span=st.integers(0, 120),
    delay=st.integers(0, 10),
    train=st.integers(1, 40),
    test=st.integers(1, 14),
    folds=st.integers(1, 5),
)
def test_no_fold_uses_later_labels(
    span: int, delay: int, train: int, test: int, folds: int
) -> None:
    plan = FoldPlan(delay_days=delay, train_days=train, test_days=test, folds=folds)
    found = folds_of(10, 10 + span, plan, TWO_A_DAY)
    assert len(found) <= folds
    for fold in found:
        assert 10 <= fold.train_first < fold.train_end <= fold.test_first < fold.test_end
        assert fold.train_end - fold.train_first <= train
        assert fold.test_end <= 10 + span - delay  # old enough today to be labelled
        if fold.is_prequential:
            assert fold.train_end <= fold.test_first - delay
            assert fold.known_on == fold.test_first
    for earlier, later in pairwise(found):
        assert earlier.test_end == later.test_first
    if span - delay >= 2:
        assert found
