"""Novelty curve: very unusual purchases a day that the classifier calls harmless."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.calibration.calibrator import BrokenCalibration
from fraudwatch.domain.calibration.score_grid import count_from, top_scores


@dataclass(frozen=True, slots=True, eq=False)
class NoveltyCurve:
    """Harmless purchases at and above each anomaly score."""

    days: int
    harmless_below: float  # calibrated score
    anomalies: Float64s  # falling
    purchases: Int64s  # [anomaly]

    def __post_init__(self) -> None:
        check_novelty_curve(self)

    def anomaly_from(self, alerts_a_day: float) -> float:
        """Return the lowest anomaly from which on alerts are within the budget; infinite if none.

        All of the most unusual may be one tie that exceeds it.
        """
        is_within = self.purchases <= alerts_a_day * self.days
        return float(self.anomalies[is_within.sum() - 1]) if is_within.any() else math.inf

    def alerts_a_day(self, anomaly_from: float) -> float:
        """Return the harmless purchases a day with at least this anomaly, at most."""
        place = int(np.searchsorted(-self.anomalies, -anomaly_from, side="left"))
        if not len(self.anomalies) or anomaly_from > self.anomalies[0]:
            return 0.0
        return float(self.purchases[min(place, len(self.purchases) - 1)] / self.days)


def novelty_curve_of(
    anomaly: Float64s, score: Float64s, day: Int64s, harmless_below: float
) -> NoveltyCurve:
    """Count the novelty curve of purchases with an anomaly and a calibrated score.

    Raises:
        BrokenCalibration: there is no purchase, or an anomaly is no number from 0 to 1.
    """
    if not len(anomaly) or not ((anomaly >= 0) & (anomaly <= 1)).all():
        raise BrokenCalibration("a novelty curve needs purchases, all with an anomaly from 0 to 1")
    harmless = anomaly[score < harmless_below]
    anomalies = top_scores(harmless)
    purchases = count_from(harmless, anomalies)
    return NoveltyCurve(len(np.unique(day)), harmless_below, anomalies, purchases)


def check_novelty_curve(curve: NoveltyCurve) -> None:
    """Check that anomalies fall and that counts rise with them.

    Raises:
        BrokenCalibration: they do not, or there is no day.
    """
    if curve.days < 1 or not 0 <= curve.harmless_below <= 1:
        raise BrokenCalibration("its novelty curve was counted on no day or below no score")
    anomalies, purchases = curve.anomalies, curve.purchases
    is_sound = anomalies.ndim == 1 and purchases.shape == anomalies.shape
    if not is_sound or not (np.diff(anomalies) < 0).all() or (np.diff(purchases) <= 0).any():
        raise BrokenCalibration("its novelty curve does not rise down the anomalies")
    if len(anomalies) and not (anomalies[-1] >= 0 and anomalies[0] <= 1 and purchases[0] > 0):
        raise BrokenCalibration("its novelty curve has anomalies that are not from 0 to 1")
