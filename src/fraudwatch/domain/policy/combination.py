"""How rules and models become one score.

Each part says how much speaks against a purchase, from 0 (nothing) to 1 (everything), and the score
is what is left when each part in turn lets through its own share of what the others let through::

    R = min(100, points of the rules hit) / 100
    A = weight * ramp of the anomaly from ``from_quantile`` to 1
    M = weight * probability of fraud
    S = 0.009 * amount / (amount + 100 EUR)
    score = 1 - (1 - R) (1 - A) (1 - M) (1 - S)

It lies in [0, 1], never falls when a part rises, and is never below any part. What it orders by:

* rules only: the points that the policy's author gave to what was hit; of equal points the dearer
  purchase is higher, because more is at stake (S is less than a point, so it never lifts a
  purchase over one with more points, nor over a policy's bound);
* with an anomaly part: the same; among purchases of equal points the more unusual is higher, and
  an unusual one may pass one with more points, by at most what the weight allows;
* with a model part: near enough the probability of fraud, raised where rules or anomaly object.

It is no probability in any mode, and scores of different modes are not to be compared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.models.evidence import Evidence

FULL_SCORE_POINTS: Final = 100
_STAKE_WEIGHT, _HALF_STAKE_EUR_CENTS = 0.009, 10_000
# Finer than any model means it and coarser than what rounding adds: points alone stay exact.
_SCORE_DECIMALS = 12
_ROUNDING_SLACK = 1e-9

Float64s = npt.NDArray[np.float64]


class ModelPart(Protocol):
    """What one model's evidence counts, built from the policy."""

    name: ClassVar[str]

    def contribution(self, evidence: Evidence) -> Float64s | None:
        """Its part of every score; None without such a model, 0 where it says nothing."""

    def sentence(self, evidence: Evidence, i: int) -> str:
        """What the model says of purchase ``i``, for an analyst."""


@dataclass(frozen=True, slots=True)
class AnomalyPart:
    """Counts how unusual a purchase is, from a quantile on: most of them are usual."""

    name: ClassVar[str] = "anomaly"
    weight: float
    from_quantile: float

    def contribution(self, evidence: Evidence) -> Float64s | None:
        """See :class:`ModelPart`; in a straight line from nothing to the whole weight."""
        if evidence.anomaly is None:
            return None
        ramp = (evidence.anomaly - self.from_quantile) / (1 - self.from_quantile)
        return self.weight * _share(ramp)

    def sentence(self, evidence: Evidence, i: int) -> str:
        """See :class:`ModelPart`."""
        share = 0.0 if evidence.anomaly is None else evidence.anomaly[i]
        return (
            f"More unusual than {_cut(100 * share, 1):.1f} % of the purchases the model was "
            "fitted on."
        )


@dataclass(frozen=True, slots=True)
class FraudPart:
    """Counts the supervised model's probability of fraud."""

    name: ClassVar[str] = "model"
    weight: float

    def contribution(self, evidence: Evidence) -> Float64s | None:
        """See :class:`ModelPart`."""
        return None if evidence.fraud is None else self.weight * _share(evidence.fraud)

    def sentence(self, evidence: Evidence, i: int) -> str:
        """See :class:`ModelPart`."""
        probability = 0.0 if evidence.fraud is None else evidence.fraud[i]
        return f"The model gives a fraud probability of {_cut(probability, 2):.2f}."


def stake(amount_eur_cents: npt.NDArray[np.int64]) -> Float64s:
    """What the amount alone counts: it breaks ties among purchases of equal points."""
    share: Float64s = _STAKE_WEIGHT * amount_eur_cents / (amount_eur_cents + _HALF_STAKE_EUR_CENTS)
    return share


def combined(total_points: npt.NDArray[np.int64], *parts: Float64s) -> Float64s:
    """The score of every purchase from the points of its rules and the other parts."""
    let_through = 1 - np.minimum(total_points, FULL_SCORE_POINTS) / FULL_SCORE_POINTS
    for part in parts:
        let_through = let_through * (1 - part)
    score: Float64s = np.round(1 - let_through, _SCORE_DECIMALS)
    return score


def _share(values: Float64s) -> Float64s:
    """Values held to 0..1; what a model does not know counts nothing."""
    return np.nan_to_num(np.clip(values, 0.0, 1.0), nan=0.0)


def _cut(value: float, decimals: int) -> float:
    """Cut off, not rounded: 99.96 % must not read as all of them."""
    steps: int = 10**decimals
    return math.floor(value * steps + _ROUNDING_SLACK) / steps
