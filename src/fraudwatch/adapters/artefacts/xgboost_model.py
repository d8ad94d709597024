"""XGBoost classifier, evaluated in one call a batch, with exact SHAP contributions."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import xgboost as xgb

from fraudwatch.adapters.artefacts.model_artefact import Artefact
from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.calibration.calibrator import probability_of
from fraudwatch.domain.models.fitted import (
    VERSION_LENGTH,
    BrokenModel,
    ModelKind,
    ModelMetadata,
    Normal,
    check_normal,
)

_BOOSTER = "booster"
_OBJECTIVE = "binary:logistic"


@dataclass(frozen=True, slots=True)
class XgboostModel:
    """``FraudModel`` of a booster; unknown values stay missing, as in training."""

    version: str
    about: ModelMetadata
    normal: Normal
    booster: xgb.Booster

    def __post_init__(self) -> None:
        check_normal(self.normal, self.about)
        if self.booster.num_features() != len(self.about.features):
            raise BrokenModel(
                f"its booster takes {self.booster.num_features()} features and its description "
                f"names {len(self.about.features)}"
            )
        learner = json.loads(self.booster.save_config())["learner"]
        if (objective := learner["objective"]["name"]) != _OBJECTIVE:
            raise BrokenModel(f"its objective is {objective}; a probability needs {_OBJECTIVE}")

    def probability(self, features: Float64s) -> Float64s:
        return probability_of(self.log_odds(features))

    def log_odds(self, features: Float64s) -> Float64s:
        return margins(self.booster, features[:, self.about.columns])

    def contributions(self, features: Float64s) -> Float64s:
        if not len(features):
            return np.empty((0, len(self.about.features) + 1))
        rows = xgb.DMatrix(features[:, self.about.columns], missing=np.nan, nthread=1)
        found = self.booster.predict(rows, pred_contribs=True, validate_features=False)
        return np.asarray(found, dtype=np.float64)


def margins(booster: xgb.Booster, values: Float64s) -> Float64s:
    """Return a booster's log-odds; XGBoost's own float32 probabilities are 1 from 17 on."""
    if not len(values):
        return np.empty(0)
    found = booster.inplace_predict(
        values, predict_type="margin", missing=np.nan, validate_features=False
    )
    return np.asarray(found, dtype=np.float64)


def xgboost_artefact(booster: xgb.Booster, about: ModelMetadata, normal: Normal) -> Artefact:
    """Build the artefact of a fitted booster."""
    raw = bytes(booster.save_raw("ubj"))
    return Artefact(about, normal, {_BOOSTER: np.frombuffer(raw, dtype=np.uint8)})


def xgboost_model(artefact: Artefact, sha256: str) -> XgboostModel:
    """Build the evaluator of an artefact.

    Raises:
        BrokenModel: the artefact has no usable booster.
    """
    if artefact.about.kind is not ModelKind.XGBOOST or _BOOSTER not in artefact.arrays:
        raise BrokenModel(f"model {sha256[:VERSION_LENGTH]} is no {ModelKind.XGBOOST}")
    booster = xgb.Booster({"nthread": 1})
    try:
        booster.load_model(bytearray(artefact.arrays[_BOOSTER].tobytes()))
    except xgb.core.XGBoostError as error:
        raise BrokenModel(f"its booster cannot be read: {error}") from error
    booster.set_param({"nthread": 1})
    return XgboostModel(sha256[:VERSION_LENGTH], artefact.about, artefact.normal, booster)
