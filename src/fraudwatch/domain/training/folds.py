"""Split days into prequential folds of training and test days, with the label delay between.

Prequential (Dal Pozzolo et al., IEEE TNNLS 2018; Fraud Detection Handbook, ch. 5): a training at
the start of the test days has the labels of that time, and none for purchases younger than the
label delay. The test days themselves must be old enough today for their labels to be known:

    | train days | delay | test days | delay | today

A lake that is too young for this (a first start) is split once without the first gap, by the labels
of today: still trained on the past and tested on later days, but with fresher labels than a real
training would have had. Such a split is marked as not prequential.

Test blocks are as long as planned where the training and the test days of the newest fold hold
enough known frauds and other purchases, and shorter where only then they do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fraudwatch.domain.time_units import DAY_MS

_FIRST_SPLIT_TEST_SHARE = 3  # a third of the days, at least one


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldPlan:
    """Lengths of a fold's parts in days (UTC), and the number of folds."""

    delay_days: int
    train_days: int
    test_days: int
    folds: int

    def __post_init__(self) -> None:
        if self.delay_days < 0 or min(self.train_days, self.test_days, self.folds) < 1:
            raise ValueError("a fold needs a day to train on and one to test on, and no delay < 0")

    @property
    def reach_days(self) -> int:
        """Number of days, up to today, that any fold can use."""
        return self.train_days + self.folds * self.test_days + 2 * self.delay_days


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledDays:
    """Known frauds and other purchases by day, and the fewest frauds to train or test on."""

    frauds: Mapping[int, int]
    others: Mapping[int, int]
    fewest_frauds: int

    def are_enough(self, first: int, end: int) -> bool:
        """Whether these days (the end is exclusive) can be trained or tested on."""
        days = range(first, end)
        frauds = sum(self.frauds.get(day, 0) for day in days)
        return frauds >= self.fewest_frauds and any(self.others.get(day, 0) for day in days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Days since 1970, UTC; ends are exclusive. Labels known before ``known_on`` count."""

    train_first: int
    train_end: int
    test_first: int
    test_end: int
    known_on: int

    @property
    def is_prequential(self) -> bool:
        """Whether it uses only labels that were known when its test began."""
        return self.known_on <= self.test_first

    @property
    def known_until_ms(self) -> int:
        """Labels of this instant or later do not count."""
        return self.known_on * DAY_MS


def folds_of(first: int, today: int, plan: FoldPlan, labelled: LabelledDays) -> tuple[Fold, ...]:
    """Return the folds of a history that begins on ``first``, oldest first; ``today`` is left out.

    Test blocks are shortened until one fits whose newest fold has enough labels, by those known
    today; if none has, the longest that fits is planned. There are no folds without two days that
    are old enough.
    """
    end = today - plan.delay_days
    lengths = range(min(plan.test_days, max(end - first, 1)), 0, -1)
    newest_first = [tuple(_prequential(first, end, plan, test_days)) for test_days in lengths]
    fitting = [found for found in newest_first if found]
    for found in fitting:
        if _has_enough(found[0], labelled):
            return found[::-1]
    return fitting[0][::-1] if fitting else _first_split(first, end, today, plan)


def _has_enough(fold: Fold, labelled: LabelledDays) -> bool:
    return labelled.are_enough(fold.train_first, fold.train_end) and labelled.are_enough(
        fold.test_first, fold.test_end
    )


def _prequential(first: int, end: int, plan: FoldPlan, test_days: int) -> Iterator[Fold]:
    for back in range(plan.folds):
        test_end = end - back * test_days
        test_first = test_end - test_days
        train_end = test_first - plan.delay_days
        train_first = max(first, train_end - plan.train_days)
        if train_end - train_first < min(test_days, plan.train_days):
            return
        yield Fold(
            train_first=train_first,
            train_end=train_end,
            test_first=test_first,
            test_end=test_end,
            known_on=test_first,
        )


def _first_split(first: int, end: int, today: int, plan: FoldPlan) -> tuple[Fold, ...]:
    days = end - first
    if days < 2:  # noqa: PLR2004  one to train on, one to test on
        return ()
    test_first = end - min(plan.test_days, max(1, days // _FIRST_SPLIT_TEST_SHARE))
    return (
        Fold(
            train_first=max(first, test_first - plan.train_days),
            train_end=test_first,
            test_first=test_first,
            test_end=end,
            known_on=today,
        ),
    )
