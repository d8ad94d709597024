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
from fraudwatch.adapters.artefacts.reloadable_models import ModelBook
from fraudwatch.domain.models.fitted import ModelKind

if TYPE_CHECKING:
    from tests.unit.adapters.artefacts.conftest import AForest


class Desk:
    """A folder that training writes to, and the book over it."""

    def __init__(self, folder: Path) -> None:
        self.source, self.folder = folder / "models", folder / "used"
        self.looks: list[bool] = []
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
        self.book = ModelBook(self.source, self.folder, features_version, self.looks.append)

    def versions(self, batch_id: int, *, is_rerun: bool = False) -> tuple[str | None, str | None]:
        models = self.book.models_for(batch_id, is_rerun=is_rerun)
        return models.anomaly_version, models.model_version


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


NONE = (None, None)


def test_as_long_as_nobody_trained_there_is_no_model_and_no_fault(desk: Desk) -> None:
    assert desk.versions(0) == NONE
    assert set(desk.looks) == {True}


def test_a_new_model_is_taken_up_by_the_next_batch(
    desk: Desk, forest: Artefact, xgboost: Artefact, a_forest: AForest
) -> None:
    desk.versions(0)
    one = desk.publish(forest)
    assert desk.versions(1) == (one, None)
    fraud = desk.publish(xgboost)
    assert desk.versions(2) == (one, fraud)
    assert desk.book.models_for(2, is_rerun=False).model_version is not None
    two = desk.publish(a_forest(8))
    assert two != one
    assert desk.versions(3) == (two, fraud)
    desk.write_pointer("{}")
    assert desk.versions(4) == NONE


def test_a_batch_run_again_has_the_models_it_had(
    desk: Desk, forest: Artefact, a_forest: AForest
) -> None:
    assert desk.versions(0) == NONE
    one = desk.publish(forest)
    desk.restart()
    assert desk.versions(0, is_rerun=True) == NONE
    assert desk.versions(1) == (one, None)
    two = desk.publish(a_forest(8))
    desk.restart()
    assert desk.versions(1, is_rerun=True) == (one, None)
    assert desk.versions(2) == (two, None)


def test_a_batch_that_began_before_there_was_a_book_had_no_model(
    desk: Desk, forest: Artefact
) -> None:
    one = desk.publish(forest)
    assert desk.versions(5, is_rerun=True) == NONE
    assert desk.versions(6) == (one, None)


def test_a_restart_finds_its_models_when_their_folder_is_gone(desk: Desk, forest: Artefact) -> None:
    one = desk.publish(forest)
    desk.versions(0)
    shutil.rmtree(desk.source)
    desk.restart()
    assert desk.versions(0, is_rerun=True) == (one, None)
    assert desk.versions(1) == (one, None)
    assert desk.looks[-1] is False


def test_a_broken_model_leaves_the_old_one_and_is_told_once(
    desk: Desk, forest: Artefact, a_forest: AForest, caplog: pytest.LogCaptureFixture
) -> None:
    one = desk.publish(forest)
    desk.versions(0)
    broken = write_artefact(desk.source, a_forest(8))
    path = desk.source / f"{broken}.npz"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    point_to(desk.source, ModelKind.ISOLATION_FOREST, broken)
    assert desk.versions(1) == desk.versions(2) == (one, None)
    assert desk.looks[-1] is False
    assert caplog.text.count("was altered") == 1
    assert "what is in use stays" in caplog.text
    path.write_bytes(whole)
    point_to(desk.source, ModelKind.ISOLATION_FOREST, broken)
    assert desk.versions(3) == (broken[:12], None)
    assert desk.looks[-1] is True


def test_a_first_pointer_that_is_broken_is_no_model(desk: Desk, forest: Artefact) -> None:
    desk.write_pointer("{")
    assert desk.versions(0) == NONE
    assert desk.looks == [False]
    (desk.source / POINTER_NAME).unlink()
    one = desk.publish(forest)
    assert desk.versions(1) == (one, None)


def test_an_artefact_that_comes_after_its_pointer_is_taken_up(
    desk: Desk, forest: Artefact, tmp_path: Path
) -> None:
    sha256 = write_artefact(tmp_path / "elsewhere", forest)
    desk.write_pointer(f'{{"isolation_forest": "{sha256}"}}')
    assert desk.versions(0) == NONE
    assert desk.looks == [False]
    shutil.copy(tmp_path / f"elsewhere/{sha256}.npz", desk.source)
    assert desk.versions(1) == (sha256[:12], None)
    assert desk.looks[-1] is True


def test_a_model_of_other_features_is_not_taken_up_but_stays_over_an_upgrade(
    desk: Desk, forest: Artefact, a_forest: AForest, caplog: pytest.LogCaptureFixture
) -> None:
    one = desk.publish(forest)
    desk.versions(0)
    desk.publish(a_forest(8, features_version="yesterday"))
    assert desk.versions(1) == (one, None)
    assert "fitted on features yesterday and today's are today" in caplog.text
    desk.restart("tomorrow")
    assert desk.versions(2) == (one, None)
    assert desk.looks[-1] is False


def test_a_copy_that_was_altered_stops_the_process(desk: Desk, forest: Artefact) -> None:
    desk.publish(forest)
    desk.versions(0)
    (copy,) = desk.folder.glob("*.npz")
    copy.write_bytes(b"")
    desk.restart()
    with pytest.raises(ValueError, match="was altered"):
        desk.versions(0, is_rerun=True)
