"""Labelled curve: honest and fraudulent purchases at and above each score, for declines.

Shares are estimated by Laplace's rule of succession (the posterior mean of a share under a uniform
prior, Laplace 1774): with ``h`` honest among ``n`` purchases the next one is honest with
``(h + 1) / (n + 2)``. So few purchases cannot prove a low share of honest ones: none among 100 is 1
in 102. Where rows have weights, the prior's purchases weigh as much as the heaviest row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from fraudwatch.domain.arrays import Bools, Float64s
from fraudwatch.domain.calibration.calibrator import BrokenCalibration
from fraudwatch.domain.calibration.score_grid import top_scores

# As many honest purchases as must be expected at the bound before a breach of it counts.
_ENOUGH_HONEST: Final = 10
_NEAR: Final = 100
"""Purchases around a score that the case page speaks of."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledCurve:
    """Weights of honest and fraudulent purchases at and above each score."""

    thresholds: Float64s  # falling; at the last all are counted
    honest: Float64s
    fraud: Float64s
    heaviest: float  # weight of the heaviest row

    def __post_init__(self) -> None:
        check_labelled_curve(self)

    def decline_from(self, precision_at_least: float, honest_declined_at_most: float) -> float:
        """Return the lowest score from which on both bounds hold; infinite if there is none.

        They hold for all purchases from that score on, and also from every higher score at which
        there are enough purchases to judge: ten honest ones would be expected at the bound. One
        honest purchase among the very first thus does not forbid every decline, and a lucky stretch
        below a bad one does not allow any.
        """
        is_precise = self._precision() >= precision_at_least
        holds = is_precise & (self._honest_share() <= honest_declined_at_most)
        known = (self.honest + self.fraud) / self.heaviest
        is_enough = known * (1.0 - precision_at_least) >= _ENOUGH_HONEST
        is_allowed = holds & ~np.logical_or.accumulate(is_enough & ~holds)
        return (
            float(self.thresholds[np.flatnonzero(is_allowed)[-1]])
            if is_allowed.any()
            else (math.inf)
        )

    def precision_from(self, score: float) -> float:
        """Return the estimated share of fraud among purchases with at least this score."""
        honest, fraud = self._from(score)
        return (fraud + self.heaviest) / (honest + fraud + 2 * self.heaviest)

    def honest_share_from(self, score: float) -> float:
        """Return the estimated share of all honest purchases that have at least this score."""
        honest, _ = self._from(score)
        return (honest + self.heaviest) / (float(self.honest[-1]) + 2 * self.heaviest)

    def precision_near(self, score: float) -> float:
        """Return the share of fraud among the 100 labelled purchases nearest in rank to a score.

        Half of them are above it; there are fewer at the top and where fewer are known, and more
        where the curve is coarser.
        """
        total = self.honest + self.fraud
        above = float(sum(self._from(score)))
        half = _NEAR / 2 * self.heaviest
        low = min(int(np.searchsorted(total, above + half)), len(total) - 1)
        high = int(np.searchsorted(total, above - half, side="right")) - 1
        fraud = self.fraud[low] - (self.fraud[high] if high >= 0 else 0.0)
        return float(fraud / (total[low] - (total[high] if high >= 0 else 0.0)))

    def _precision(self) -> Float64s:
        total = self.honest + self.fraud + 2 * self.heaviest
        precision: Float64s = (self.fraud + self.heaviest) / total
        return precision

    def _honest_share(self) -> Float64s:
        share: Float64s = (self.honest + self.heaviest) / (self.honest[-1] + 2 * self.heaviest)
        return share

    def _from(self, score: float) -> tuple[float, float]:
        """Return honest and fraudulent weight at and above a score."""
        place = int(np.searchsorted(-self.thresholds, -score, side="right")) - 1
        return (float(self.honest[place]), float(self.fraud[place])) if place >= 0 else (0.0, 0.0)


def labelled_curve_of(score: Float64s, is_fraud: Bools, weight: Float64s) -> LabelledCurve:
    """Count the curve of labelled purchases.

    Args:
        score: [purchase] Calibrated probability by a model that was not trained on the purchase.
        is_fraud: Whether it was fraud.
        weight: Purchases that each row stands for, above 0.

    Raises:
        BrokenCalibration: there is no purchase, or a score is no number from 0 to 1.
    """
    if not len(score) or not ((score >= 0) & (score <= 1)).all():
        raise BrokenCalibration("a labelled curve needs purchases, all with a score from 0 to 1")
    thresholds = top_scores(score)
    order = np.argsort(-score, kind="stable")
    last = np.searchsorted(-score[order], -thresholds, side="right") - 1
    honest, fraud = (
        np.cumsum(np.where(is_kind, weight, 0.0)[order])[last] for is_kind in (~is_fraud, is_fraud)
    )
    return LabelledCurve(thresholds, honest, fraud, float(weight.max()))


def check_labelled_curve(curve: LabelledCurve) -> None:
    """Check that scores fall and that weights rise with them.

    Raises:
        BrokenCalibration: they do not, or there is no purchase.
    """
    thresholds = curve.thresholds
    is_a_grid = thresholds.ndim == 1 and len(thresholds) > 0 and (np.diff(thresholds) < 0).all()
    if not is_a_grid or not (thresholds[-1] >= 0 and thresholds[0] <= 1):
        raise BrokenCalibration("the scores of its labelled curve do not fall from 1 to 0")
    for weights in (curve.honest, curve.fraud):
        is_sound = weights.shape == thresholds.shape and np.isfinite(weights).all()
        if not is_sound or (np.diff(weights, prepend=0.0) < 0).any():
            raise BrokenCalibration("the weights of its labelled curve do not rise down the scores")
    total = curve.honest + curve.fraud
    if not (math.isfinite(curve.heaviest) and 0 < curve.heaviest <= total[-1]):
        raise BrokenCalibration("the heaviest purchase of its labelled curve has no usable weight")
    if (np.diff(total, prepend=0.0) <= 0).any():
        raise BrokenCalibration("a score of its labelled curve stands for no purchase")
