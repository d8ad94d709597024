"""The curves behind the numbers, as points that any program can draw."""

from __future__ import annotations

from typing import Final

import numpy as np

from fraudwatch.domain.evaluation.labelled_scores import Flags, Floats
from fraudwatch.domain.evaluation.ranking import steps

CURVES: Final = "curves.json"
"""The document of a training that holds them."""
MOST_POINTS: Final = 200
_BINS: Final = np.array([0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0])


def precision_recall(score: Floats, is_fraud: Flags) -> list[dict[str, float]]:
    """Precision and recall from the highest score down; at most MOST_POINTS, even in recall.

    Even in rows they would nearly all lie where a rare fraud is no longer found.
    """
    if not is_fraud.any():
        return []
    found = steps(score, is_fraud)
    wanted = np.linspace(1, found.frauds[-1], MOST_POINTS)
    places = np.unique(np.searchsorted(found.frauds, wanted))
    frauds, genuine = found.frauds[places], found.genuine[places]
    return [
        {"recall": float(hits / found.frauds[-1]), "precision": float(hits / (hits + others))}
        for hits, others in zip(frauds, genuine, strict=True)
    ]


def reliability(probability: Floats, is_fraud: Flags) -> list[dict[str, float]]:
    """How many of those that were given about this probability were frauds; empty bins left out."""
    place = np.clip(np.searchsorted(_BINS, probability, side="right") - 1, 0, len(_BINS) - 2)
    return [
        {
            "purchases": int((place == number).sum()),
            "probability": float(probability[place == number].mean()),
            "fraud_ratio": float(is_fraud[place == number].mean()),
        }
        for number in np.unique(place)
    ]
