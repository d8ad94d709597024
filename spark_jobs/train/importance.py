"""Build the document of a training run that ranks its features: ``importance.json``."""

from __future__ import annotations

from typing import Any, Final, cast

import xgboost as xgb

from fraudwatch.domain.arrays import Int64s
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES

MAX_FEATURES: Final = 20


def importance_document(booster: xgb.Booster, columns: Int64s) -> list[dict[str, Any]]:
    """Return the most important features by their share of the total gain, the largest first.

    Gain is what splits by a feature lower the loss by, over all trees.
    """
    gains = cast("dict[str, float]", booster.get_score(importance_type="total_gain"))
    names = booster.feature_names or [f"f{place}" for place in range(len(columns))]
    total = sum(gains.values()) or 1.0
    ranked = [
        {"feature": VECTOR_FEATURES[column].name, "gain_ratio": gains[name] / total}
        for name, column in zip(names, columns.tolist(), strict=True)
        if name in gains
    ]
    ranked.sort(key=lambda one: -one["gain_ratio"])
    return ranked[:MAX_FEATURES]
