"""Train a model for each week on the days that end a label delay before it, and score by it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

import numpy as np

from benchmarks.labelled_table import LabelledTable, UnfitData
from fraudwatch.adapters.artefacts.xgboost_model import margins
from fraudwatch.domain.arrays import Bools, Float64s, Int64s
from fraudwatch.domain.calibration.fit_calibrator import MIN_FRAUDS

WEEK_DAYS: Final = 7
DELAY_DAYS: Final = 7
TRAINING_DAYS: Final = 30
CALIBRATION_WEEKS: Final = 4
# A week counts for the calibration if its model had at least half of its training days: a model of
# fewer is not the kind that is calibrated.
_FEWEST_TRAINING_DAYS: Final = TRAINING_DAYS // 2
# Parts by customer, as in training with one fold.
_PARTS: Final = 3
_EPOCH: Final = date(1970, 1, 1)

LogOdds = Callable[[Int64s], Float64s]
"""Compute a model's log-odds of fraud for rows."""
Fit = Callable[[Int64s], LogOdds]
"""Train a model on rows."""

log = logging.getLogger("week_models")


class ScoredRows(NamedTuple):
    """Rows with the log-odds of a model that was not trained on them."""

    rows: Int64s
    log_odds: Float64s


@dataclass(slots=True)
class WeekModels:
    """Models of weeks, each named by its first day since 1970 and trained when first needed."""

    table: LabelledTable
    fit: Fit
    _day: Int64s = field(init=False)
    _scored: dict[int, ScoredRows] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._day = self.table.purchases.day

    def scored(self, week: int, begins: int, until: int) -> ScoredRows:
        """Score days of a week, or of the seven days before it, by the week's model."""
        if week not in self._scored:
            rows = self._rows(week - DELAY_DAYS, week + WEEK_DAYS)
            self._scored[week] = ScoredRows(rows, self.fit(self._trained_rows(week))(rows))
        rows, log_odds = self._scored[week]
        chosen = (self._day[rows] >= begins) & (self._day[rows] < until)
        return ScoredRows(rows[chosen], log_odds[chosen])

    def labelled(self, week: int) -> tuple[ScoredRows, str]:
        """Score the purchases by which a week's model is calibrated, and say which they are.

        They are those of earlier weeks whose labels are known by then, each scored by its own
        model. Without such a week, those that the model was trained on, cross-fitted by customer.
        """
        newest = week - DELAY_DAYS - WEEK_DAYS
        weeks = [newest - WEEK_DAYS * back for back in range(CALIBRATION_WEEKS)]
        earliest = int(self._day[0]) + DELAY_DAYS + _FEWEST_TRAINING_DAYS
        if parts := [self.scored(one, one, one + WEEK_DAYS) for one in weeks if one >= earliest]:
            return _joined(parts), f"prequential, {len(parts)} weeks"
        rows = self._trained_rows(week)
        parts = [self._left_out(rows, part) for part in range(_PARTS)]
        return _joined(parts), f"cross-fitted by customer, {_PARTS} parts"

    def _trained_rows(self, week: int) -> Int64s:
        until = week - DELAY_DAYS
        rows = self._rows(until - TRAINING_DAYS, until)
        frauds = int(self.table.is_fraud[rows].sum())
        begins = (_EPOCH + timedelta(week)).isoformat()
        if frauds < MIN_FRAUDS:
            raise UnfitData(
                f"the training days of the week of {begins} hold {frauds} known frauds and a model "
                f"needs {MIN_FRAUDS}, so no verdict can be measured; give a file of more days"
            )
        log.info("week of %s: training on %d frauds", begins, frauds)
        return rows

    def _left_out(self, rows: Int64s, part: int) -> ScoredRows:
        """Score one part of the customers by a model of the others; nothing if they lack frauds."""
        is_part = self.table.purchases.card[rows] % _PARTS == part
        others, chosen = rows[~is_part], rows[is_part]
        if not self.table.is_fraud[others].any():
            chosen = chosen[:0]
        return ScoredRows(chosen, self.fit(others)(chosen) if len(chosen) else np.empty(0))

    def _rows(self, begins: int, until: int) -> Int64s:
        return np.flatnonzero((self._day >= begins) & (self._day < until))


def booster_fit(make: Callable[[], Any], vectors: Float64s, is_fraud: Bools) -> Fit:
    """Return a fit of XGBoost classifiers, without features unknown in all training rows."""

    def fit(trained: Int64s) -> LogOdds:
        is_known = ~np.isnan(vectors[trained]).all(axis=0)
        booster = make().fit(vectors[trained][:, is_known], is_fraud[trained]).get_booster()
        return lambda rows: margins(booster, vectors[rows][:, is_known])

    return fit


def _joined(parts: list[ScoredRows]) -> ScoredRows:
    return ScoredRows(*(np.concatenate(column) for column in zip(*parts, strict=True)))
