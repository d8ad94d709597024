from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb

from fraudwatch.adapters.artefacts.model_artefact import write_artefact
from fraudwatch.adapters.artefacts.xgboost_model import xgboost_artefact
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.models.fitted import ModelKind, ModelMetadata, normal_of
from spark_jobs.reconcile.artefact_resolver import (
    ArtefactFolders,
    ArtefactResolver,
    resolve_artefacts,
)
from tests.calibrations import write_a_calibration

NAMES = ("item_count", "amount_eur_cents")


@pytest.fixture
def model(tmp_path: Path) -> str:
    """Hash of a classifier in the folder of models."""
    rows = np.random.default_rng(1).random((200, len(NAMES)))
    data = xgb.DMatrix(rows, (rows[:, 1] > 0.5).astype(float))
    booster = xgb.train({"objective": "binary:logistic", "nthread": 1}, data, num_boost_round=3)
    about = ModelMetadata(
        kind=ModelKind.XGBOOST,
        features=NAMES,
        features_version=features_version(),
        fitted_at_ms=3,
        rows=200,
        from_ms=1,
        until_ms=2,
    )
    return write_artefact(tmp_path / "models", xgboost_artefact(booster, about, normal_of(rows)))


def its_calibration(folder: Path, model: str, seed: int) -> str:
    return write_a_calibration(folder, model, seed=seed, features_version=features_version())


def resolver(tmp_path: Path, models: list[str], calibrations: list[str]) -> ArtefactResolver:
    folders = ArtefactFolders(policies=(), models=(tmp_path / "models",), views=())
    found = resolve_artefacts(folders, [], models, [], calibrations)
    sent = tmp_path / "sent"
    sent.mkdir()
    for path in found.files:
        shutil.copy(path, sent)
    return ArtefactResolver(found, sent)


def test_a_model_is_opened_with_the_calibration_that_its_verdict_names(
    tmp_path: Path, model: str
) -> None:
    one, two = (its_calibration(tmp_path / "models", model, seed) for seed in (1, 2))
    artefacts = resolver(tmp_path, [model[:12]], [one[:12], two[:12]])
    rows = np.zeros((3, len(VECTOR_FEATURES)))
    scores = []
    for calibration in (one, two):
        found = artefacts.models((model[:12],), calibration[:12])
        assert found is not None
        assert (found.model_version, found.calibration_version) == (model[:12], calibration[:12])
        evidence = found.evidence(rows)
        assert evidence.score is not None
        scores.append(evidence.score[0])
    assert scores[0] != scores[1]


def test_a_verdict_without_a_calibration_had_the_model_alone(tmp_path: Path, model: str) -> None:
    found = resolver(tmp_path, [model[:12]], []).models((model[:12],))
    assert found is not None
    assert (found.model_version, found.calibration_version) == (model[:12], None)


def test_a_missing_or_broken_calibration_is_not_substituted(
    tmp_path: Path, model: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken = "b" * 64
    (tmp_path / "models" / f"{broken}.calibration.npz").write_bytes(b"rubbish")
    artefacts = resolver(tmp_path, [model[:12]], [broken[:12], "c" * 12])
    assert artefacts.models((model[:12],), broken[:12]) is None
    assert artefacts.models((model[:12],), "c" * 12) is None
    assert f"the calibration {broken[:12]} is skipped" in caplog.text
