"""Serve past purchases as production would: the final verdicts of a model trained each week.

Calibrator and labelled curve come from earlier weeks whose labels are known by then. Alert and
novelty curves need no labels: each day they are renewed by the seven days before, scored by the
week's model, which was trained on none of them. Bounds and verdicts are the production code's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.labelled_table import LabelledTable
from benchmarks.week_models import DELAY_DAYS, WEEK_DAYS, ScoredRows, WeekModels
from fraudwatch.application.scoring.assess import assess
from fraudwatch.domain.arrays import Bools, Float64s, Int64s
from fraudwatch.domain.calibration.calibration import Calibration
from fraudwatch.domain.calibration.calibrator import probability_of
from fraudwatch.domain.calibration.fit_calibration import (
    RULE_SEPARATOR,
    CalibratedModel,
    RecordedPurchases,
    fit_calibration,
    with_curves_of,
)
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.models.fitted import VERSION_LENGTH
from fraudwatch.domain.policy.bounds import bounds_of
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.rules.rule import HIT, RuleInput
from fraudwatch.domain.time_units import DAY_MS

CURVE_DAYS: Final = 7
"""Days of the alert and novelty curves: each day of the week once."""
# The models of a benchmark are never stored, so they have no hash.
_MODEL, _FOREST = "0" * 64, "1" * 64


class Served(NamedTuple):
    """Final verdicts on purchases, as columns."""

    rows: Int64s  # of the table
    probability: Float64s  # of the model alone
    score: Float64s
    outcome: Int64s  # place in OUTCOMES
    is_novel: Bools
    review_from: Float64s
    decline_from: Float64s


@dataclass(slots=True, kw_only=True)
class ServedTable:
    """Labelled purchases with all that serves them."""

    table: LabelledTable
    vectors: Float64s
    anomaly: Float64s  # NaN where the forest is not asked
    policy: Policy
    models: WeekModels
    hits: Bools = field(init=False)  # [purchase, rule]
    calibrated_by: dict[int, str] = field(init=False, default_factory=dict)
    """How each week was calibrated, by its first day."""
    _recorded: RecordedPurchases = field(init=False)

    def __post_init__(self) -> None:
        inputs = self._inputs(slice(None))
        self.hits = np.stack([rule.answer(inputs) == HIT for rule in self.policy.rules], axis=1)
        day = self.table.purchases.day
        self._recorded = RecordedPurchases(
            day=day,
            rule_sets=_rule_sets(self.hits, [rule.name for rule in self.policy.rules]),
            anomaly=self.anomaly,
            forest_version=np.full(len(day), _FOREST[:VERSION_LENGTH], dtype=np.object_),
        )

    def serve(self, first: int, until: int) -> Served:
        """Return the verdicts on the purchases of days, until the last one is excluded."""
        weeks = range(first, until, WEEK_DAYS)
        days = [day for week in weeks for day in self._week(week, min(week + WEEK_DAYS, until))]
        return Served(*(np.concatenate(column) for column in zip(*days, strict=True)))

    def _week(self, week: int, until: int) -> Iterator[Served]:
        labelled = self._labelled(week)
        for today in range(week, until):
            recent = self.models.scored(week, today - CURVE_DAYS, today)
            calibration = with_curves_of(
                labelled,
                labelled.score(recent.log_odds),
                self._of(recent.rows),
                forest_sha256=_FOREST,
                fitted_at_ms=today * DAY_MS,
            )
            purchases = self.models.scored(week, today, today + 1)
            if len(purchases.rows):
                yield self._assessed(purchases, calibration)

    def _labelled(self, week: int) -> Calibration:
        """Fit calibrator and labelled curve of a week; its alert curve is replaced each day."""
        scored, self.calibrated_by[week] = self.models.labelled(week)
        return fit_calibration(
            scored.log_odds,
            self.table.is_fraud[scored.rows],
            np.ones(len(scored.rows), dtype=np.bool_),
            self._of(scored.rows),
            CalibratedModel(
                sha256=_MODEL,
                forest_sha256=None,
                features_version=features_version(),
                label_delay_days=DELAY_DAYS,
            ),
            folds=self.calibrated_by[week],
        )

    def _assessed(self, purchases: ScoredRows, calibration: Calibration) -> Served:
        rows, log_odds = purchases
        probability, score = probability_of(log_odds), calibration.score(log_odds)
        bounds = bounds_of(self.policy, calibration)
        evidence = Evidence(self.anomaly[rows], probability, score)
        found = assess(self._inputs(rows), self.policy, evidence, bounds)
        return Served(
            rows=rows,
            probability=probability,
            score=found.score,
            outcome=found.outcome,
            is_novel=found.is_novel,
            review_from=np.full(len(rows), bounds.review_from),
            decline_from=np.full(len(rows), bounds.decline_from),
        )

    def _inputs(self, rows: Int64s | slice) -> RuleInput:
        return RuleInput(self.table.events.amount_eur_cents[rows], self.vectors[rows])

    def _of(self, rows: Int64s) -> RecordedPurchases:
        recorded = self._recorded
        return RecordedPurchases(
            day=recorded.day[rows],
            rule_sets=recorded.rule_sets[rows],
            anomaly=recorded.anomaly[rows],
            forest_version=recorded.forest_version[rows],
        )


def _rule_sets(hits: Bools, names: list[str]) -> npt.NDArray[np.object_]:
    """Return the names of the rules that hit each purchase, as verdicts record them."""
    bits = hits @ (1 << np.arange(len(names), dtype=np.int64))
    sets, place = np.unique(bits, return_inverse=True)
    words = [
        RULE_SEPARATOR.join(sorted(name for i, name in enumerate(names) if one >> i & 1))
        for one in sets.tolist()
    ]
    return np.array(words, dtype=np.object_)[place]
