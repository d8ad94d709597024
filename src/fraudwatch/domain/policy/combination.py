"""Combine points of rules and the anomaly in one score, for purchases without a model's score.

Each part measures the evidence against a purchase, from 0 (none) to 1 (certain), and the score is
the complement of the product of what the parts let through::

    R = min(100, points of the rules hit) / 100
    A = weight * ramp of the anomaly from ``from_quantile`` to 1
    S = 0.009 * amount / (amount + 100 EUR)
    score = 1 - (1 - R) (1 - A) (1 - S)

It is in [0, 1], never falls when a part rises, and is never below any part. It orders by the points
of the rules hit; of equal points the larger amount is higher (S, the amount tiebreak, is less than
a point, so it never raises a purchase above one with more points, nor above a policy's threshold);
among purchases of equal points the more unusual is higher, and an unusual one may pass one with
more points, by at most what the weight allows.

It is no probability, and is not to be compared with the score of a model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.models.evidence import Evidence

FULL_SCORE_POINTS: Final = 100
_TIEBREAK_WEIGHT, _HALF_TIEBREAK_EUR_CENTS = 0.009, 10_000
# Coarser than rounding errors: points alone stay exact.
_SCORE_DECIMALS = 12
_ROUNDING_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class AnomalyPart:
    """Counts how unusual a purchase is, from a quantile upwards: most of them are usual."""

    name: ClassVar[str] = "anomaly"
    weight: float
    from_quantile: float

    def contribution(self, evidence: Evidence) -> Float64s | None:
        """Return its part of every score; None without a forest, 0 where it has no evidence.

        It rises in a straight line from nothing to the whole weight.
        """
        if evidence.anomaly is None:
            return None
        ramp = (evidence.anomaly - self.from_quantile) / (1 - self.from_quantile)
        return self.weight * _share(ramp)

    def sentence(self, evidence: Evidence, i: int) -> str:
        """Return the forest's reason for purchase ``i``, for an analyst."""
        share = 0.0 if evidence.anomaly is None else evidence.anomaly[i]
        return (
            f"More unusual than {cut(100 * share, 1):.1f}% of the training purchases; "
            f"threshold {100 * self.from_quantile:g}%."
        )


def amount_tiebreak(amount_eur_cents: Int64s) -> Float64s:
    """Return the amount's part of the score, which orders purchases of equal points."""
    share: Float64s = (
        _TIEBREAK_WEIGHT * amount_eur_cents / (amount_eur_cents + _HALF_TIEBREAK_EUR_CENTS)
    )
    return share


def combined(total_points: Int64s, *parts: Float64s) -> Float64s:
    """Return the score of every purchase from the points of its rules and the other parts."""
    let_through = 1 - np.minimum(total_points, FULL_SCORE_POINTS) / FULL_SCORE_POINTS
    for part in parts:
        let_through = let_through * (1 - part)
    score: Float64s = np.round(1 - let_through, _SCORE_DECIMALS)
    return score


def _share(values: Float64s) -> Float64s:
    """Clip values to 0..1; unknown counts zero."""
    return np.nan_to_num(np.clip(values, 0.0, 1.0), nan=0.0)


def cut(value: float, decimals: int) -> float:
    """Cut off decimals without rounding: 99.96% must not read as 100.0%."""
    steps: int = 10**decimals
    return math.floor(value * steps + _ROUNDING_SLACK) / steps
