from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pytest
import xgboost as xgb

from fraudwatch.adapters.artefacts.model_artefact import Artefact
from fraudwatch.adapters.artefacts.sklearn_forest import ForestShape, all_features, fit_forest
from fraudwatch.adapters.artefacts.xgboost_model import xgboost_artefact
from fraudwatch.domain.features.catalogue import FEATURE_INDEX, FEATURES
from fraudwatch.domain.models.fitted import ModelKind, ModelMetadata, normal_of

Rows = npt.NDArray[np.float64]


class SomeRows(Protocol):
    """Vectors with gaps: mostly usual, nothing known of the addresses."""

    def __call__(self, count: int, seed: int = 2) -> Rows: ...


class AnXgboost(Protocol):
    """A classifier of three features, by labels of three days' delay."""

    def __call__(self, **about: Any) -> Artefact: ...


class AForest(Protocol):
    """A small forest on such rows, different for each seed."""

    def __call__(self, seed: int = 7, **about: str) -> Artefact: ...


def _some_rows(count: int, seed: int = 2) -> Rows:
    rows = np.abs(np.random.default_rng(seed).normal(3.0, 2.0, (count, len(FEATURES))))
    rows[::7, FEATURE_INDEX["since_last_seconds"]] = np.nan
    rows[::3, FEATURE_INDEX["own_amount_deviation_eur_cents"]] = np.nan
    rows[:, FEATURE_INDEX["billing_to_shipping_km"]] = np.nan
    rows[:, FEATURE_INDEX["failed_count_10m"]] = 0.0
    return rows


def _an_about(**changes: Any) -> ModelMetadata:
    usual: dict[str, Any] = {
        "kind": ModelKind.ISOLATION_FOREST,
        "features": all_features(),
        "features_version": "today",
        "fitted_at_ms": 3,
        "rows": 3_000,
        "from_ms": 1,
        "until_ms": 2,
    }
    return ModelMetadata(**{**usual, **changes})


def _a_forest(seed: int = 7, **about: str) -> Artefact:
    return fit_forest(_some_rows(3_000, 1), _an_about(**about), ForestShape(trees=20, seed=seed))


def _an_xgboost(**about: Any) -> Artefact:
    """Booster fitted to call expensive purchases fraud; it has three features in its own order."""
    names = ("item_count", "amount_eur_cents", "since_last_seconds")
    usual = {"kind": ModelKind.XGBOOST, "features": names, "label_delay_days": 3}
    described = _an_about(**(usual | about))
    rows = _some_rows(2_000, 1)
    values = rows[:, described.columns]
    labels = (values[:, 1] > 5).astype(float)
    data = xgb.DMatrix(values, labels, missing=np.nan)
    parameters = {"objective": "binary:logistic", "max_depth": 3, "nthread": 1, "seed": 1}
    booster = xgb.train(parameters, data, num_boost_round=20)
    return xgboost_artefact(booster, described, normal_of(values))


@pytest.fixture(scope="session")
def some_rows() -> SomeRows:
    return _some_rows


@pytest.fixture(scope="session")
def a_forest() -> AForest:
    return _a_forest


@pytest.fixture(scope="session")
def an_about() -> Callable[..., ModelMetadata]:
    return _an_about


@pytest.fixture(scope="session")
def an_xgboost() -> AnXgboost:
    return _an_xgboost


@pytest.fixture(scope="session")
def forest() -> Artefact:
    return _a_forest()


@pytest.fixture(scope="session")
def xgboost() -> Artefact:
    return _an_xgboost()
