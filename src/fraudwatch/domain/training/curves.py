"""Compute precision-recall and reliability curves as points for plots."""

from __future__ import annotations

from typing import Final

import numpy as np

from fraudwatch.domain.arrays import Bools, Float64s
from fraudwatch.domain.evaluation.ranking import steps

CURVES: Final = "curves.json"
"""The document of a training run that stores them."""
MAX_POINTS: Final = 200
_BINS: Final = np.array([0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0])


def precision_recall(score: Float64s, is_fraud: Bools) -> list[dict[str, float]]:
    """Return precision and recall from the highest score down: at most MAX_POINTS, even in recall.

    Points even in rows would nearly all be where no more frauds are found.
    """
    if not is_fraud.any():
        return []
    found = steps(score, is_fraud)
    wanted = np.linspace(1, found.frauds[-1], MAX_POINTS)
    places = np.unique(np.searchsorted(found.frauds, wanted))
    frauds, genuine = found.frauds[places], found.genuine[places]
    return [
        {"recall": float(hits / found.frauds[-1]), "precision": float(hits / (hits + others))}
        for hits, others in zip(frauds, genuine, strict=True)
    ]


def reliability(probability: Float64s, is_fraud: Bools) -> list[dict[str, float]]:
    """Compare predicted probability with the share of frauds, by bin; empty bins are left out."""
    place = np.clip(np.searchsorted(_BINS, probability, side="right") - 1, 0, len(_BINS) - 2)
    return [
        {
            "purchases": int((place == number).sum()),
            "probability": float(probability[place == number].mean()),
            "fraud_ratio": float(is_fraud[place == number].mean()),
        }
        for number in np.unique(place)
    ]
