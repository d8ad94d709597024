"""Models to compare with the handbook's published figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from xgboost import XGBClassifier

from fraudwatch.domain.arrays import Bools, Float64s, Int64s

_SEED: Final = 0
SOURCE: Final = "Fraud Detection Handbook @ 81cf7d17, ch. 5 and 6, prequential, test weeks"
HANDBOOK_FEATURES, STREAM_FEATURES = "book", "served"


@dataclass(frozen=True, slots=True)
class BenchmarkModel:
    """A model, its features, its training days, and its published figures."""

    name: str
    features: str
    training_days: int
    make: Callable[[], Any]
    published: Mapping[str, float] | None = None


def forest(trees: int, depth: int) -> Callable[[], Any]:
    """Return a factory of random forests with the book's parameters."""
    return lambda: RandomForestClassifier(
        n_estimators=trees, max_depth=depth, random_state=_SEED, n_jobs=-1
    )


def boosted(trees: int, rate: float, depth: int) -> Callable[[], Any]:
    """Return a factory of XGBoost models: exact splits, base score 0.5, as in the book's time."""
    return lambda: XGBClassifier(
        n_estimators=trees,
        learning_rate=rate,
        max_depth=depth,
        tree_method="exact",
        base_score=0.5,
        random_state=_SEED,
    )


def _published(auc: float | None, precision: float, cards: float) -> dict[str, float]:
    figures = {"average_precision": precision, "card_precision_at_100": cards}
    return figures | ({} if auc is None else {"auc": auc})


PUBLISHED_MODELS: Final = (
    BenchmarkModel(
        "random forest 100/20",
        HANDBOOK_FEATURES,
        7,
        forest(100, 20),
        _published(0.870, 0.678, 0.299),
    ),
    BenchmarkModel(
        "XGBoost 50/0.3/3",
        HANDBOOK_FEATURES,
        7,
        boosted(50, 0.3, 3),
        _published(0.872, 0.687, 0.302),
    ),
    BenchmarkModel(
        "XGBoost 100/0.1/3",
        HANDBOOK_FEATURES,
        7,
        boosted(100, 0.1, 3),
        _published(None, 0.694, 0.304),
    ),
)
OURS: Final = BenchmarkModel("ours: XGBoost 150/0.1/4", STREAM_FEATURES, 30, boosted(150, 0.1, 4))


def scores(
    model: BenchmarkModel, features: Float64s, is_fraud: Bools, rows: tuple[Int64s, Int64s]
) -> Float64s:
    """Train on the first rows and score the second, without features unknown in all rows."""
    trained, tested = rows
    is_known = ~np.isnan(features[trained]).all(axis=0)
    fitted = model.make().fit(features[trained][:, is_known], is_fraud[trained])
    return np.asarray(fitted.predict_proba(features[tested][:, is_known])[:, 1], dtype=np.float64)
