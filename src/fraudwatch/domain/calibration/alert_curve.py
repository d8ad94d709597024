"""Alert curve: alerts a day by score threshold and by the rules that hit.

It needs no labels. The policy decides which rules ask for a review whatever the score (its floors);
the curve counts purchases by the set of rules that hit, so that a changed policy needs no new one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from fraudwatch.domain.arrays import Bools, Float64s, Int64s
from fraudwatch.domain.calibration.calibrator import BrokenCalibration
from fraudwatch.domain.calibration.score_grid import count_from, top_scores

RuleSet = tuple[str, ...]
"""Names of the rules that hit, sorted."""


class FloorsAboveBudget(ValueError):
    """The floors of rules alone make more alerts than analysts can work on."""

    def __init__(self, floors_a_day: float, alerts_a_day: float) -> None:
        super().__init__(
            f"the rules with a floor alone make {floors_a_day:,.1f} alerts a day and the budget is "
            f"{alerts_a_day:,g}, so no score could ask for a review; raise alerts_a_day or remove "
            "the floor of a rule"
        )
        self.floors_a_day = floors_a_day


@dataclass(frozen=True, slots=True, eq=False)
class AlertCurve:
    """Purchases at and above each threshold, by the set of rules that hit."""

    days: int
    thresholds: Float64s  # rising; the first is 0: all purchases
    alerts: Mapping[RuleSet, Int64s]  # [threshold]

    def __post_init__(self) -> None:
        check_alert_curve(self)

    def alerts_a_day(self, review_from: float, floor_rules: AbstractSet[str]) -> float:
        """Return the purchases a day with at least this score or a hit of a rule with a floor.

        Between two thresholds it counts from the lower one.
        """
        place = int(np.searchsorted(self.thresholds, review_from, side="right")) - 1
        if review_from > self.thresholds[-1]:
            return self.floors_a_day(floor_rules)
        return float(self._by_threshold(floor_rules)[max(place, 0)] / self.days)

    def floors_a_day(self, floor_rules: AbstractSet[str]) -> float:
        """Return the purchases a day with a hit of a rule with a floor, whatever their score."""
        hit = (counts[0] for rules, counts in self.alerts.items() if floor_rules & set(rules))
        return int(sum(hit)) / self.days

    def review_from(self, alerts_a_day: float, floor_rules: AbstractSet[str]) -> float:
        """Return the lowest score from which on reviews are within the budget; infinite if none.

        Raises:
            FloorsAboveBudget: the floors alone exceed it.
        """
        floors_a_day = self.floors_a_day(floor_rules)
        if floors_a_day > alerts_a_day:
            raise FloorsAboveBudget(floors_a_day, alerts_a_day)
        is_within = self._by_threshold(floor_rules) <= alerts_a_day * self.days
        return float(self.thresholds[is_within.argmax()]) if is_within.any() else math.inf

    def _by_threshold(self, floor_rules: AbstractSet[str]) -> Int64s:
        """Return the alerts at each threshold; they never rise with it."""
        total = np.zeros(len(self.thresholds), dtype=np.int64)
        for rules, counts in self.alerts.items():
            total += counts[0] if floor_rules & set(rules) else counts
        return total


def alert_curve_of(
    score: Float64s, day: Int64s, hits: Bools, rule_names: Sequence[str]
) -> AlertCurve:
    """Count the alert curve of calibrated scores.

    Args:
        score: [purchase] Calibrated probability.
        day: [purchase] Day of the event, any numbering; only whole days give a true average.
        hits: [purchase, rule] Whether the rule hit.
        rule_names: Names of the rules.

    Raises:
        BrokenCalibration: there is no purchase, or a score is no number from 0 to 1.
    """
    if not len(score) or not ((score >= 0) & (score <= 1)).all():
        raise BrokenCalibration("an alert curve needs purchases, all with a score from 0 to 1")
    thresholds = np.unique(np.append(0.0, top_scores(score)))
    set_of = hits.astype(np.int64) @ (1 << np.arange(len(rule_names), dtype=np.int64))
    order = np.argsort(set_of, kind="stable")
    sets, begins = np.unique(set_of[order], return_index=True)
    alerts = {
        _rules_of(one, rule_names): count_from(scores, thresholds)
        for one, scores in zip(sets.tolist(), np.split(score[order], begins[1:]), strict=True)
    }
    return AlertCurve(len(np.unique(day)), thresholds, alerts)


def _rules_of(bits: int, rule_names: Sequence[str]) -> RuleSet:
    return tuple(sorted(name for place, name in enumerate(rule_names) if bits >> place & 1))


def check_alert_curve(curve: AlertCurve) -> None:
    """Check that thresholds rise from 0 and that counts fall with them.

    Raises:
        BrokenCalibration: they do not, or there is no day or no purchase.
    """
    thresholds = curve.thresholds
    if curve.days < 1 or not curve.alerts:
        raise BrokenCalibration("its alert curve was counted on no day or on no purchase")
    is_a_grid = thresholds.ndim == 1 and len(thresholds) > 0 and bool(thresholds[0] == 0)
    if not is_a_grid or not (np.diff(thresholds) > 0).all() or not thresholds[-1] <= 1:
        raise BrokenCalibration("the thresholds of its alert curve do not rise from 0 to at most 1")
    for rules, counts in curve.alerts.items():
        is_falling = counts.shape == thresholds.shape and (np.diff(counts) <= 0).all()
        if not is_falling or counts[-1] < 0 or tuple(sorted(set(rules))) != rules:
            raise BrokenCalibration(
                f"the alerts of its curve where {', '.join(rules) or 'no rule'} hit are not counts "
                "that fall with the threshold, or its rules are not sorted"
            )
