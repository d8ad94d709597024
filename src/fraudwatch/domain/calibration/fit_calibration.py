"""Fit a calibration to purchases of past days, and renew its curves by newer ones.

The purchases are scored by models that were not trained on them. Alert and novelty curve need no
labels, so they can be renewed while calibrator and labelled curve stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.arrays import Bools, Float64s, Int64s
from fraudwatch.domain.calibration.alert_curve import AlertCurve, alert_curve_of
from fraudwatch.domain.calibration.calibration import Calibration
from fraudwatch.domain.calibration.fit_calibrator import fit_calibrator
from fraudwatch.domain.calibration.labelled_curve import labelled_curve_of
from fraudwatch.domain.calibration.novelty_curve import NoveltyCurve, novelty_curve_of
from fraudwatch.domain.evaluation.whole_days import on_whole_days
from fraudwatch.domain.models.fitted import VERSION_LENGTH

HARMLESS_BELOW: Final = 0.05
"""Score below which the model calls a purchase harmless: fewer than 1 in 20 are fraud.

Novelty is to add what the score does not bring: a review by score begins above it unless frauds
are rare and analysts many, and then the score reviews these purchases anyway.
"""
RULE_SEPARATOR: Final = ","


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedPurchases:
    """Records of purchases on whole days that do not depend on the classifier, as columns."""

    day: Int64s
    rule_sets: npt.NDArray[np.object_]
    """Names of the rules that hit, sorted and joined by commas; None where no verdict is known."""
    anomaly: Float64s
    """NaN where unknown."""
    forest_version: npt.NDArray[np.object_]
    """Version of the forest that gave the anomaly; None where unknown."""

    def part(self, chosen: Bools) -> RecordedPurchases:
        """Select some of the purchases."""
        return RecordedPurchases(
            day=self.day[chosen],
            rule_sets=self.rule_sets[chosen],
            anomaly=self.anomaly[chosen],
            forest_version=self.forest_version[chosen],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedModel:
    """Model that a calibration is for, and the active forest."""

    sha256: str
    forest_sha256: str | None
    features_version: str
    label_delay_days: int


def pooled(parts: Sequence[RecordedPurchases]) -> RecordedPurchases:
    """Join the purchases of several folds."""
    return RecordedPurchases(
        day=np.concatenate([one.day for one in parts]),
        rule_sets=np.concatenate([one.rule_sets for one in parts]),
        anomaly=np.concatenate([one.anomaly for one in parts]),
        forest_version=np.concatenate([one.forest_version for one in parts]),
    )


def fit_calibration(
    log_odds: Float64s,
    is_fraud: Bools,
    is_known: Bools,
    purchases: RecordedPurchases,
    model: CalibratedModel,
    *,
    folds: str,
) -> Calibration:
    """Fit a calibration to all purchases of some days.

    Args:
        log_odds: [purchase] By a model that was not trained on it.
        is_fraud: Whether it was fraud.
        is_known: Whether that is known; else it counts in alert and novelty curve alone.
        purchases: Their records.
        model: Model that it is for.
        folds: How the purchases were chosen, in words.

    Raises:
        BrokenCalibration: there is no labelled purchase, or a log-odds is not finite.
    """
    known = is_fraud[is_known]
    weight = np.ones(len(known))
    calibrator = fit_calibrator(log_odds[is_known], known, weight)
    score = calibrator.probability(log_odds)
    novelty = _novelty_curve(model.forest_sha256, score, purchases)
    return Calibration(
        model_sha256=model.sha256,
        forest_sha256=model.forest_sha256 if novelty else None,
        features_version=model.features_version,
        label_delay_days=model.label_delay_days,
        fitted_at_ms=0,
        folds=folds,
        calibrator=calibrator,
        alert_curve=_alert_curve(score, purchases),
        labelled_curve=labelled_curve_of(score[is_known], known, weight),
        novelty_curve=novelty,
    )


def with_curves_of(
    calibration: Calibration,
    score: Float64s,
    purchases: RecordedPurchases,
    *,
    forest_sha256: str | None,
    fitted_at_ms: int,
) -> Calibration:
    """Replace alert and novelty curve by those of newer purchases, with their calibrated scores.

    Raises:
        BrokenCalibration: there is no purchase, or a score is no number from 0 to 1.
    """
    novelty = _novelty_curve(forest_sha256, score, purchases)
    return replace(
        calibration,
        alert_curve=_alert_curve(score, purchases),
        novelty_curve=novelty,
        forest_sha256=forest_sha256 if novelty else None,
        fitted_at_ms=fitted_at_ms,
        version="",
    )


def rule_hits(
    rule_sets: npt.NDArray[np.object_], rule_names: Sequence[str] | None = None
) -> tuple[Sequence[str], Bools]:
    """Return rules and [purchase, rule] whether each hit; without names, of all that ever hit."""
    sets, place = np.unique(["" if one is None else one for one in rule_sets], return_inverse=True)
    of_set = [set(filter(None, str(one).split(RULE_SEPARATOR))) for one in sets]
    names = sorted(set[str]().union(*of_set)) if rule_names is None else rule_names
    hits = np.array([[name in one for name in names] for one in of_set], dtype=np.bool_)
    return names, hits.reshape(len(of_set), len(names))[place]


def _alert_curve(score: Float64s, purchases: RecordedPurchases) -> AlertCurve:
    names, hits = rule_hits(purchases.rule_sets)
    return alert_curve_of(score, purchases.day, hits, names)


def _novelty_curve(
    forest_sha256: str | None, score: Float64s, purchases: RecordedPurchases
) -> NoveltyCurve | None:
    """Count the curve by one forest, on days that it saw whole; None without such a day."""
    if forest_sha256 is None:
        return None
    is_its: Bools = purchases.forest_version == forest_sha256[:VERSION_LENGTH]
    chosen = on_whole_days(purchases.day, is_its & ~np.isnan(purchases.anomaly))
    if not chosen.any():
        return None
    return novelty_curve_of(
        purchases.anomaly[chosen], score[chosen], purchases.day[chosen], HARMLESS_BELOW
    )
