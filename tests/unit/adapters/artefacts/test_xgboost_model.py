from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import xgboost as xgb

from fraudwatch.adapters.artefacts.model_artefact import Artefact, read_artefact, write_artefact
from fraudwatch.adapters.artefacts.xgboost_model import margins, xgboost_artefact, xgboost_model
from fraudwatch.domain.calibration.calibrator import probability_of
from fraudwatch.domain.features.catalogue import FEATURE_INDEX, FEATURES
from fraudwatch.domain.models.active_models import ActiveModels, check_outputs
from fraudwatch.domain.models.fitted import BrokenModel

if TYPE_CHECKING:
    from tests.unit.adapters.artefacts.conftest import SomeRows


def test_it_predicts_like_its_booster(
    tmp_path: Path, xgboost: Artefact, some_rows: SomeRows
) -> None:
    sha256 = write_artefact(tmp_path, xgboost)
    model = xgboost_model(read_artefact(tmp_path, sha256), sha256)
    rows = some_rows(300)
    expected = model.booster.predict(xgb.DMatrix(rows[:, xgboost.about.columns], missing=np.nan))
    assert model.probability(rows) == pytest.approx(expected, rel=1e-6)
    amount = rows[:, FEATURE_INDEX["amount_eur_cents"]]
    assert model.probability(rows)[amount > 5.2].min() > 0.9
    assert model.probability(rows)[amount < 4.8].max() < 0.1
    models = ActiveModels(fraud=model)
    check_outputs(models)
    assert models.model_version == sha256[:12]
    assert models.evidence(rows).anomaly is None


def test_a_row_scores_the_same_alone_and_in_a_batch(xgboost: Artefact, some_rows: SomeRows) -> None:
    model, rows = xgboost_model(xgboost, "0" * 64), some_rows(100)
    alone = [model.probability(rows[i : i + 1])[0] for i in range(100)]
    assert model.probability(rows).tobytes() == np.array(alone).tobytes()
    assert len(model.probability(rows[:0])) == len(model.contributions(rows[:0])) == 0


def test_unknown_is_missing_and_not_a_number(xgboost: Artefact) -> None:
    model = xgboost_model(xgboost, "0" * 64)
    nothing = np.full((1, len(FEATURES)), np.nan)
    expected = model.booster.predict(xgb.DMatrix(np.full((1, 3), np.nan), missing=np.nan))
    assert model.probability(nothing)[0] == pytest.approx(expected[0], rel=1e-6)


def test_contributions_sum_to_the_log_odds(xgboost: Artefact, some_rows: SomeRows) -> None:
    model, rows = xgboost_model(xgboost, "0" * 64), some_rows(200)
    parts = model.contributions(rows)
    assert parts.shape == (200, 4)
    probability = model.probability(rows)
    log_odds = np.log(probability / (1 - probability))
    assert parts.sum(axis=1) == pytest.approx(log_odds, abs=1e-4)


def test_probabilities_that_are_1_in_float32_are_not_in_float64() -> None:
    rows = np.linspace(0.0, 1.0, 200)[:, None]
    parameters = {"objective": "binary:logistic", "eta": 9.0, "min_child_weight": 0, "lambda": 0}
    data = xgb.DMatrix(rows, rows[:, 0] > 0.5)
    booster = xgb.train({**parameters, "nthread": 1}, data, num_boost_round=1)
    found = margins(booster, rows)
    assert found.tobytes() == booster.predict(data, output_margin=True).astype(float).tobytes()
    assert found.max() > 17
    assert booster.inplace_predict(rows).max() == 1 > probability_of(found).max()


def test_a_booster_that_does_not_fit_is_refused(xgboost: Artefact) -> None:
    with pytest.raises(BrokenModel, match="cannot be read"):
        xgboost_model(replace(xgboost, arrays={"booster": np.zeros(9, np.uint8)}), "0" * 64)
    booster = xgb.train(
        {"objective": "reg:squarederror"}, xgb.DMatrix(np.eye(3), np.ones(3)), num_boost_round=1
    )
    with pytest.raises(BrokenModel, match="objective is reg:squarederror"):
        xgboost_model(xgboost_artefact(booster, xgboost.about, xgboost.normal), "0" * 64)
    wide = xgb.train(
        {"objective": "binary:logistic"}, xgb.DMatrix(np.eye(4), np.ones(4)), num_boost_round=1
    )
    with pytest.raises(BrokenModel, match="takes 4 features and its description names 3"):
        xgboost_model(xgboost_artefact(wide, xgboost.about, xgboost.normal), "0" * 64)
