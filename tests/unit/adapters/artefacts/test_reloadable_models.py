from __future__ import annotations

import dataclasses
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fraudwatch.adapters.artefacts.calibration_artefact import CALIBRATION_FILES
from fraudwatch.adapters.artefacts.model_artefact import MODEL_FILES, Artefact, write_artefact
from fraudwatch.adapters.artefacts.model_folder import renew_calibration
from fraudwatch.adapters.artefacts.model_pointer import (
    POINTER_NAME,
    CanaryPointer,
    end_canary,
    point_to,
    read_pointer,
    replace_pointer,
)
from fraudwatch.adapters.artefacts.reloadable_models import KEPT_VERSIONS, ReloadableModels
from fraudwatch.domain.models import fitted
from fraudwatch.domain.models.fitted import ModelKind
from fraudwatch.domain.models.serving import ServingVersions
from tests.calibrations import write_a_calibration

if TYPE_CHECKING:
    from tests.unit.adapters.artefacts.conftest import AForest, AnXgboost, SomeRows


class World:
    """Folder that training writes to, and its hot reload."""

    def __init__(self, folder: Path) -> None:
        self.source, self.folder = folder / "models", folder / "used"
        self.reloads: list[bool] = []
        self._edits = 0
        self.restart()

    def publish(self, artefact: Artefact) -> str:
        sha256 = write_artefact(self.source, artefact)
        is_classifier = artefact.about.kind is ModelKind.XGBOOST
        calibration = write_a_calibration(self.source, sha256) if is_classifier else None
        point_to(self.source, artefact.about.kind, sha256, calibration=calibration)
        return sha256[:12]

    def write_pointer(self, text: str) -> None:
        self._edits += 1
        self.source.mkdir(exist_ok=True)
        (self.source / POINTER_NAME).write_text(text)
        os.utime(self.source / POINTER_NAME, ns=(self._edits, self._edits))

    def restart(self, features_version: str = "today", label_delay_days: int = 3) -> None:
        serving = ServingVersions(features_version, label_delay_days)
        self.reloadable = ReloadableModels(self.source, self.folder, serving, self.reloads.append)

    def versions(self, batch_id: int, *, is_rerun: bool = False) -> tuple[str | None, str | None]:
        models = self.reloadable.models_for(batch_id, is_rerun=is_rerun)
        return models.anomaly_version, models.model_version


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


NONE = (None, None)


def test_before_training_there_is_no_model_and_no_error(world: World) -> None:
    assert world.versions(0) == NONE
    assert set(world.reloads) == {True}


def test_a_new_model_is_loaded_by_the_next_batch(
    world: World, forest: Artefact, xgboost: Artefact, a_forest: AForest
) -> None:
    world.versions(0)
    one = world.publish(forest)
    assert world.versions(1) == (one, None)
    fraud = world.publish(xgboost)
    assert world.versions(2) == (one, fraud)
    assert world.reloadable.models_for(2, is_rerun=False).model_version is not None
    two = world.publish(a_forest(8))
    assert two != one
    assert world.versions(3) == (two, fraud)
    world.write_pointer("{}")
    assert world.versions(4) == NONE


def test_a_replayed_batch_uses_its_first_models(
    world: World, forest: Artefact, a_forest: AForest
) -> None:
    assert world.versions(0) == NONE
    one = world.publish(forest)
    world.restart()
    assert world.versions(0, is_rerun=True) == NONE
    assert world.versions(1) == (one, None)
    two = world.publish(a_forest(8))
    world.restart()
    assert world.versions(1, is_rerun=True) == (one, None)
    assert world.versions(2) == (two, None)


def test_a_batch_from_before_the_journal_had_no_model(world: World, forest: Artefact) -> None:
    one = world.publish(forest)
    assert world.versions(5, is_rerun=True) == NONE
    assert world.versions(6) == (one, None)


def test_a_restart_finds_its_models_without_their_source_folder(
    world: World, forest: Artefact
) -> None:
    one = world.publish(forest)
    world.versions(0)
    shutil.rmtree(world.source)
    world.restart()
    assert world.versions(0, is_rerun=True) == (one, None)
    assert world.versions(1) == (one, None)
    assert world.reloads[-1] is False


def test_a_broken_model_leaves_the_old_one_and_is_logged_once(
    world: World, forest: Artefact, a_forest: AForest, caplog: pytest.LogCaptureFixture
) -> None:
    one = world.publish(forest)
    world.versions(0)
    broken = write_artefact(world.source, a_forest(8))
    path = world.source / f"{broken}.npz"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    point_to(world.source, ModelKind.ISOLATION_FOREST, broken)
    assert world.versions(1) == world.versions(2) == (one, None)
    assert world.reloads[-1] is False
    assert caplog.text.count("was altered") == 1
    assert "the version in use stays" in caplog.text
    path.write_bytes(whole)
    point_to(world.source, ModelKind.ISOLATION_FOREST, broken)
    assert world.versions(3) == (broken[:12], None)
    assert world.reloads[-1] is True


def test_a_first_pointer_that_is_broken_is_no_model(world: World, forest: Artefact) -> None:
    world.write_pointer("{")
    assert world.versions(0) == NONE
    assert world.reloads == [False]
    (world.source / POINTER_NAME).unlink()
    one = world.publish(forest)
    assert world.versions(1) == (one, None)


def test_an_artefact_that_comes_after_its_pointer_is_loaded(
    world: World, forest: Artefact, tmp_path: Path
) -> None:
    sha256 = write_artefact(tmp_path / "elsewhere", forest)
    world.write_pointer(f'{{"isolation_forest": "{sha256}"}}')
    assert world.versions(0) == NONE
    assert world.reloads == [False]
    shutil.copy(tmp_path / f"elsewhere/{sha256}.npz", world.source)
    assert world.versions(1) == (sha256[:12], None)
    assert world.reloads[-1] is True


def test_a_model_of_other_features_is_left_out(
    world: World, xgboost: Artefact, a_forest: AForest, caplog: pytest.LogCaptureFixture
) -> None:
    fraud = world.publish(xgboost)
    world.publish(a_forest(8, features_version="yesterday"))
    assert world.versions(0) == world.versions(1) == (None, fraud)
    assert world.reloads[-1] is False
    assert caplog.text.count("fitted on features yesterday and today's are today") == 1
    one = world.publish(a_forest(9))
    assert world.versions(2) == (one, fraud)
    assert world.reloads[-1] is True


def test_after_an_upgrade_the_models_of_the_journal_are_left_out(
    world: World, forest: Artefact, xgboost: Artefact, caplog: pytest.LogCaptureFixture
) -> None:
    world.publish(forest)
    world.publish(xgboost)
    assert None not in world.versions(0)
    world.restart("tomorrow")
    assert world.versions(0, is_rerun=True) == NONE
    assert world.versions(1) == world.versions(2) == NONE
    assert world.reloads[-1] is False
    assert caplog.text.count("scored without it") == 2  # each of them once
    world.restart("today")
    assert None not in world.versions(3)
    assert world.reloads[-1] is True


def test_a_classifier_of_another_label_delay_is_left_out_and_a_forest_has_none(
    world: World, forest: Artefact, an_xgboost: AnXgboost, caplog: pytest.LogCaptureFixture
) -> None:
    one, fraud = world.publish(forest), world.publish(an_xgboost())
    assert world.versions(0) == (one, fraud)
    world.restart(label_delay_days=30)
    assert world.versions(0, is_rerun=True) == world.versions(1) == (one, None)
    assert world.reloads[-1] is False
    assert "trained with a label delay of 3 days and LABEL_DELAY_DAYS is 30" in caplog.text
    refitted = world.publish(an_xgboost(label_delay_days=30))
    assert world.versions(2) == (one, refitted)
    assert world.reloads[-1] is True
    world.publish(an_xgboost(label_delay_days=None))
    assert world.versions(3) == (one, None)
    assert "trained with an unknown label delay" in caplog.text


def test_a_model_whose_features_no_longer_exist_is_left_out(
    world: World,
    forest: Artefact,
    xgboost: Artefact,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    one, _ = world.publish(forest), world.publish(xgboost)
    assert None not in world.versions(0)
    monkeypatch.setattr(fitted, "VECTOR_INDEX", {"another": 0})
    world.restart("tomorrow")
    assert world.versions(0, is_rerun=True) == world.versions(1) == NONE
    assert f"model {one} cannot be used: its features are not in the catalogue" in caplog.text
    assert world.reloads[-1] is False


def test_a_classifier_scores_with_the_calibration_that_the_pointer_names(
    world: World, xgboost: Artefact, some_rows: SomeRows
) -> None:
    world.publish(xgboost)
    models, rows = world.reloadable.models_for(0, is_rerun=False), some_rows(50)
    assert models.fraud is not None
    assert models.calibration is not None
    evidence = models.evidence(rows)
    assert evidence.score is not None
    log_odds = models.fraud.log_odds(rows)
    assert evidence.score.tobytes() == models.calibration.score(log_odds).tobytes()
    assert evidence.fraud is not None
    assert evidence.fraud.tobytes() == models.fraud.probability(rows).tobytes()
    assert len(set(evidence.score)) == len(set(log_odds))
    assert (np.argsort(evidence.score) == np.argsort(log_odds)).all()


def test_a_renewed_calibration_is_journaled_like_a_model(world: World, xgboost: Artefact) -> None:
    world.publish(xgboost)
    first = world.reloadable.models_for(0, is_rerun=False).calibration_version
    (model,) = MODEL_FILES.in_folder(world.source)
    second = write_a_calibration(world.source, model, seed=2)
    renew_calibration(world.source, model, second)
    assert world.reloadable.models_for(1, is_rerun=False).calibration_version == second[:12]
    shutil.rmtree(world.source)
    world.restart()
    assert world.reloadable.models_for(0, is_rerun=True).calibration_version == first
    assert first != second[:12]


def test_copies_of_calibrations_are_pruned_with_their_entries(
    world: World, xgboost: Artefact
) -> None:
    world.publish(xgboost)
    (model,) = MODEL_FILES.in_folder(world.source)
    renewed = []
    for batch_id in range(KEPT_VERSIONS + 3):
        renewed.append(write_a_calibration(world.source, model, seed=10 + batch_id))
        renew_calibration(world.source, model, renewed[-1])
        world.versions(batch_id)
    assert CALIBRATION_FILES.in_folder(world.folder) == set(renewed[-KEPT_VERSIONS:])
    assert MODEL_FILES.in_folder(world.folder) == {model}


def test_a_classifier_without_a_calibration_is_not_used_and_logged(
    world: World, forest: Artefact, xgboost: Artefact, caplog: pytest.LogCaptureFixture
) -> None:
    one = world.publish(forest)
    sha256 = write_artefact(world.source, xgboost)
    point_to(world.source, ModelKind.XGBOOST, sha256)
    assert world.versions(0) == (one, None)
    assert f"the classifier {sha256[:12]} has no calibration" in caplog.text
    assert world.reloads[-1] is True


def test_a_calibration_of_another_model_or_of_other_features_is_refused(
    world: World, xgboost: Artefact, caplog: pytest.LogCaptureFixture
) -> None:
    used = world.publish(xgboost)
    assert world.versions(0) == (None, used)
    (model,) = MODEL_FILES.in_folder(world.source)
    other = write_a_calibration(world.source, "b" * 64)
    point_to(world.source, ModelKind.XGBOOST, model, calibration=other)
    assert world.versions(1) == (None, used)
    assert f"calibration {other[:12]} is of model bbbbbbbbbbbb" in caplog.text
    older = write_a_calibration(world.source, model, features_version="yesterday")
    point_to(world.source, ModelKind.XGBOOST, model, calibration=older)
    assert world.versions(2) == (None, used)
    assert "fitted on features yesterday" in caplog.text
    assert world.reloads[-1] is False


def test_a_copy_that_was_altered_stops_the_process(world: World, forest: Artefact) -> None:
    world.publish(forest)
    world.versions(0)
    (copy,) = world.folder.glob("*.npz")
    copy.write_bytes(b"")
    world.restart()
    with pytest.raises(ValueError, match="was altered"):
        world.versions(0, is_rerun=True)


def with_canary(world: World, share_ratio: float, sha256: str) -> str:
    """Add a canary of an artefact to the pointer, and return the artefact's version."""
    pointer = read_pointer(world.source)
    canary = CanaryPointer(
        model=sha256,
        calibration=write_a_calibration(world.source, sha256, seed=5),
        share_ratio=share_ratio,
        started_at_ms=7,
    )
    replace_pointer(world.source, dataclasses.replace(pointer, canary=canary))
    return sha256[:12]


def test_a_canary_is_loaded_beside_the_champion_and_replayed(
    world: World, forest: Artefact, xgboost: Artefact, an_xgboost: AnXgboost
) -> None:
    anomaly, champion = world.publish(forest), world.publish(xgboost)
    other = write_artefact(world.source, an_xgboost(fitted_at_ms=77))
    tried = with_canary(world, 0.1, other)
    models = world.reloadable.models_for(1, is_rerun=False)
    assert (models.anomaly_version, models.model_version) == (anomaly, champion)
    assert models.canary is not None
    on_trial = models.canary.models
    assert (on_trial.anomaly_version, on_trial.model_version) == (anomaly, tried)
    assert on_trial.calibration_version != models.calibration_version
    assert models.canary.share_ratio == 0.1
    end_canary(world.source)
    assert world.reloadable.models_for(2, is_rerun=False).canary is None
    # A replayed micro-batch is scored by the canary again, though its files are gone.
    shutil.rmtree(world.source)
    world.restart()
    replayed = world.reloadable.models_for(1, is_rerun=True).canary
    assert replayed is not None
    assert replayed.models.model_version == tried


def test_a_canary_of_other_features_is_left_out_and_the_champion_scores(
    world: World, xgboost: Artefact, an_xgboost: AnXgboost, caplog: pytest.LogCaptureFixture
) -> None:
    champion = world.publish(xgboost)
    other = write_artefact(world.source, an_xgboost(features_version="yesterday"))
    with_canary(world, 0.1, other)
    models = world.reloadable.models_for(1, is_rerun=False)
    assert (models.model_version, models.canary) == (champion, None)
    assert "the canary is not used" in caplog.text
    assert world.reloads[-1] is False


@pytest.mark.parametrize(
    "changes",
    [{"share_ratio": 0}, {"share_ratio": 0.51}, {"share_ratio": "x"}, {"model": "a"}, {"extra": 1}],
)
def test_a_pointer_with_an_unusable_canary_is_refused(
    world: World, xgboost: Artefact, changes: dict[str, object]
) -> None:
    champion = world.publish(xgboost)
    assert world.versions(1) == (None, champion)
    known = json.loads((world.source / POINTER_NAME).read_bytes())
    canary = {"model": "a" * 64, "calibration": "b" * 64, "share_ratio": 0.1, "started_at_ms": 7}
    world.write_pointer(json.dumps({**known, "canary": {**canary, **changes}}))
    assert world.versions(2) == (None, champion)
    assert world.reloads[-1] is False
