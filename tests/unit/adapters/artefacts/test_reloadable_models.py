from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fraudwatch.adapters.artefacts.model_artefact import (
    POINTER_NAME,
    Artefact,
    point_to,
    write_artefact,
)
from fraudwatch.adapters.artefacts.reloadable_models import ReloadableModels
from fraudwatch.domain.models.fitted import ModelKind

if TYPE_CHECKING:
    from tests.unit.adapters.artefacts.conftest import AForest


class World:
    """Folder that training writes to, and its hot reload."""

    def __init__(self, folder: Path) -> None:
        self.source, self.folder = folder / "models", folder / "used"
        self.reloads: list[bool] = []
        self._edits = 0
        self.restart()

    def publish(self, artefact: Artefact) -> str:
        sha256 = write_artefact(self.source, artefact)
        point_to(self.source, artefact.about.kind, sha256)
        return sha256[:12]

    def write_pointer(self, text: str) -> None:
        self._edits += 1
        self.source.mkdir(exist_ok=True)
        (self.source / POINTER_NAME).write_text(text)
        os.utime(self.source / POINTER_NAME, ns=(self._edits, self._edits))

    def restart(self, features_version: str = "today") -> None:
        self.reloadable = ReloadableModels(
            self.source, self.folder, features_version, self.reloads.append
        )

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


def test_a_model_of_other_features_is_not_loaded_but_survives_an_upgrade(
    world: World, forest: Artefact, a_forest: AForest, caplog: pytest.LogCaptureFixture
) -> None:
    one = world.publish(forest)
    world.versions(0)
    world.publish(a_forest(8, features_version="yesterday"))
    assert world.versions(1) == (one, None)
    assert "fitted on features yesterday and today's are today" in caplog.text
    world.restart("tomorrow")
    assert world.versions(2) == (one, None)
    assert world.reloads[-1] is False


def test_a_copy_that_was_altered_stops_the_process(world: World, forest: Artefact) -> None:
    world.publish(forest)
    world.versions(0)
    (copy,) = world.folder.glob("*.npz")
    copy.write_bytes(b"")
    world.restart()
    with pytest.raises(ValueError, match="was altered"):
        world.versions(0, is_rerun=True)
