"""Rescoring uses the models and views that a verdict names, by the detector's own rules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb

from fraudwatch.adapters.artefacts.model_artefact import write_artefact
from fraudwatch.adapters.artefacts.view_artefact import VIEW_FILES, view_bytes
from fraudwatch.adapters.artefacts.xgboost_model import xgboost_artefact
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.features.hashing import keys_of
from fraudwatch.domain.models.fitted import ModelKind, ModelMetadata, normal_of
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS
from fraudwatch.domain.views.catalogue import VALID_FOR_MS, Entity, view_columns
from fraudwatch.domain.views.view import RiskView, table_of
from fraudwatch.samples import NOON_MS
from spark_jobs.reconcile.artefact_resolver import (
    ArtefactFolders,
    ArtefactResolver,
    resolve_artefacts,
)


def resolver(folder: Path, *, model: str = "", view: str = "") -> ArtefactResolver:
    folders = ArtefactFolders(policies=(), models=(folder,), views=(folder,))
    return ArtefactResolver(resolve_artefacts(folders, [], [model], [view]), folder)


def a_model(folder: Path, features: str, label_delay_days: int) -> str:
    rows = np.random.default_rng(1).random((50, 1))
    data = xgb.DMatrix(rows, (rows[:, 0] > 0.5).astype(float))
    booster = xgb.train({"objective": "binary:logistic", "nthread": 1}, data, num_boost_round=2)
    about = ModelMetadata(
        kind=ModelKind.XGBOOST,
        features=("amount_eur_cents",),
        features_version=features,
        fitted_at_ms=1,
        rows=50,
        from_ms=0,
        until_ms=1,
        label_delay_days=label_delay_days,
    )
    return write_artefact(folder, xgboost_artefact(booster, about, normal_of(rows)))[:12]


@pytest.mark.parametrize("label_delay_days", [3, 120])
def test_the_named_model_is_used_whatever_the_label_delay_is_by_now(
    tmp_path: Path, label_delay_days: int
) -> None:
    name = a_model(tmp_path, features_version(), label_delay_days)
    models = resolver(tmp_path, model=name).models((name,))
    assert models is not None
    assert models.model_version == name


def test_a_model_of_other_features_is_left_out_as_in_the_stream(tmp_path: Path) -> None:
    name = a_model(tmp_path, "yesterday", 3)
    models = resolver(tmp_path, model=name).models((name,))
    assert models is not None
    assert models.model_version is None


def test_the_named_view_is_valid_for_48_hours_whatever_its_label_delay(tmp_path: Path) -> None:
    tables = {one: table_of([], np.empty((0, len(view_columns(one))))) for one in Entity}
    tables[Entity.DEVICE] = table_of(["d"], np.array([[5.0]]))
    view = RiskView(NOON_MS - HOUR_MS, tables, 77 * DAY_MS)
    name = VIEW_FILES.write(tmp_path, view_bytes(view))[:12]
    views = resolver(tmp_path, view=name).views(name)
    assert views is not None
    until_ms = view.valid_from_ms + VALID_FOR_MS
    keys = {one: keys_of(["d" if one is Entity.DEVICE else None] * 2) for one in Entity}
    found = views.lookup(keys, np.array([until_ms - 1, until_ms]))
    assert found.view == [name, ""]
    assert np.nanmax(found.features) == 5.0
