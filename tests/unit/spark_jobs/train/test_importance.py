"""Importance of features of a fitted booster."""

from __future__ import annotations

import numpy as np
import pytest
import xgboost as xgb

from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from spark_jobs.train.importance import importance_document


def test_features_are_ranked_by_their_share_of_the_gain() -> None:
    random = np.random.default_rng(7)
    values = random.normal(size=(500, 3))
    is_fraud = (values[:, 1] + 0.2 * values[:, 2] > 0.8).astype(float)
    rows = xgb.DMatrix(values, label=is_fraud)
    booster = xgb.train({"objective": "binary:logistic", "max_depth": 2}, rows, 10)
    found = importance_document(booster, np.array([4, 7, 2]))
    assert [one["feature"] for one in found][:2] == [
        VECTOR_FEATURES[7].name,
        VECTOR_FEATURES[2].name,
    ]
    assert sum(one["gain_ratio"] for one in found) == pytest.approx(1.0)
    assert found[0]["gain_ratio"] > 0.5
