from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fraudwatch.adapters.artefacts.calibration_artefact import CALIBRATION_FILES
from fraudwatch.adapters.artefacts.model_artefact import MODEL_FILES, Artefact, write_artefact
from fraudwatch.adapters.artefacts.model_pointer import point_to
from fraudwatch.adapters.artefacts.model_pruning import KEPT_OF_EACH_KIND, prune_fitted
from fraudwatch.adapters.artefacts.reloadable_models import KEPT_VERSIONS, ReloadableModels
from fraudwatch.adapters.jsonl_journal import JsonlJournal
from fraudwatch.domain.models.fitted import ModelKind
from fraudwatch.domain.models.serving import ServingVersions
from tests.calibrations import write_a_calibration

SERVING = ServingVersions("today", 3)


def fitted(folder: Path, artefact: Artefact, at_ms: int) -> str:
    return write_artefact(
        folder, replace(artefact, about=replace(artefact.about, fitted_at_ms=at_ms))
    )


def published(folder: Path, artefact: Artefact, at_ms: int) -> str:
    sha256 = fitted(folder, artefact, at_ms)
    is_classifier = artefact.about.kind is ModelKind.XGBOOST
    calibration = write_a_calibration(folder, sha256) if is_classifier else None
    point_to(folder, artefact.about.kind, sha256, calibration=calibration)
    prune_fitted(folder)
    return sha256


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def models(source: Path, tmp_path: Path) -> ReloadableModels:
    return ReloadableModels(source, tmp_path / "used", SERVING, lambda _: None)


def test_the_newest_of_each_kind_are_kept_by_when_they_were_fitted(
    source: Path, forest: Artefact, xgboost: Artefact
) -> None:
    # Fitted later but written first: the clock of the files says nothing.
    forests = [fitted(source, forest, at_ms) for at_ms in range(9, 0, -1)]
    classifiers = [fitted(source, xgboost, at_ms) for at_ms in (1, 2)]
    prune_fitted(source)
    assert MODEL_FILES.in_folder(source) == {*forests[:KEPT_OF_EACH_KIND], *classifiers}


def test_the_active_model_is_kept_however_old(source: Path, forest: Artefact) -> None:
    oldest = fitted(source, forest, 1)
    point_to(source, ModelKind.ISOLATION_FOREST, oldest)
    newer = [fitted(source, forest, at_ms) for at_ms in range(2, 10)]
    prune_fitted(source)
    assert MODEL_FILES.in_folder(source) == {oldest, *newer[-KEPT_OF_EACH_KIND:]}


def test_calibrations_of_kept_classifiers_are_kept_and_the_active_one(
    source: Path, xgboost: Artefact
) -> None:
    models = [fitted(source, xgboost, at_ms) for at_ms in range(KEPT_OF_EACH_KIND + 1)]
    oldest = [write_a_calibration(source, models[0], seed=seed) for seed in range(1, 3)]
    newest = [write_a_calibration(source, models[-1], seed=seed) for seed in range(1, 9)]
    point_to(source, ModelKind.XGBOOST, models[-1], calibration=newest[0])
    prune_fitted(source)
    assert models[0] not in MODEL_FILES.in_folder(source)
    kept = {newest[0], *newest[-KEPT_OF_EACH_KIND:]}
    assert CALIBRATION_FILES.in_folder(source) == kept
    assert not kept & set(oldest)


def test_unreadable_files_are_kept(source: Path, forest: Artefact) -> None:
    kept = [fitted(source, forest, at_ms) for at_ms in range(KEPT_OF_EACH_KIND)]
    broken = f"{'0' * 64}.npz"
    unread = f"{'1' * 64}.calibration.npz"
    for name in (broken, unread, "mine.npz", "notes.txt"):
        (source / name).write_text("not a model")
    prune_fitted(source)
    left = {path.name for path in source.iterdir() if not path.name.startswith(".")}
    assert left == {*(f"{sha256}.npz" for sha256 in kept), broken, unread, "mine.npz", "notes.txt"}


def test_a_model_that_cannot_be_removed_is_logged_and_stops_nothing(
    source: Path, forest: Artefact, caplog: pytest.LogCaptureFixture
) -> None:
    old = "a" * 64
    (source / f"{old}.npz").mkdir(parents=True)  # nothing that unlink removes
    fitted(source, forest, 1)
    MODEL_FILES.keep_only(source, set())
    assert MODEL_FILES.in_folder(source) == {old}
    assert "the old model aaaaaaaaaaaa could not be removed" in caplog.text


def test_a_replayed_batch_finds_the_model_that_training_has_removed(
    source: Path, tmp_path: Path, forest: Artefact, models: ReloadableModels
) -> None:
    first = published(source, forest, 1)
    assert models.models_for(0, is_rerun=False).anomaly_version == first[:12]
    for at_ms in range(2, 2 + 2 * KEPT_OF_EACH_KIND):
        published(source, forest, at_ms)
    assert first not in MODEL_FILES.in_folder(source)
    restarted = ReloadableModels(source, tmp_path / "used", SERVING, lambda _: None)
    assert restarted.models_for(0, is_rerun=True).anomaly_version == first[:12]


def test_copies_of_the_last_entries_are_kept_and_each_can_be_replayed(
    source: Path, tmp_path: Path, forest: Artefact, xgboost: Artefact, models: ReloadableModels
) -> None:
    classifier = published(source, xgboost, 1)
    models.models_for(0, is_rerun=False)
    forests = []
    for batch_id in range(1, 10):
        forests.append(published(source, forest, batch_id))
        models.models_for(batch_id, is_rerun=False)
    assert MODEL_FILES.in_folder(tmp_path / "used") == {classifier, *forests[-KEPT_VERSIONS:]}
    for batch_id in range(10 - KEPT_VERSIONS, 10):
        restarted = ReloadableModels(source, tmp_path / "used", SERVING, lambda _: None)
        models = restarted.models_for(batch_id, is_rerun=True)
        used = forests[batch_id - 1]
        assert (models.anomaly_version, models.model_version) == (used[:12], classifier[:12])


def test_a_crash_before_the_new_entry_leaves_the_used_models(
    source: Path,
    tmp_path: Path,
    forest: Artefact,
    models: ReloadableModels,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used = [published(source, forest, at_ms) for at_ms in range(1, KEPT_VERSIONS + 1)]
    for batch_id, sha256 in enumerate(used):
        point_to(source, ModelKind.ISOLATION_FOREST, sha256)
        models.models_for(batch_id, is_rerun=False)
    published(source, forest, 99)

    class Crash(Exception):
        pass

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(JsonlJournal, "append", crash)
        with pytest.raises(Crash):
            models.models_for(KEPT_VERSIONS, is_rerun=False)
    restarted = ReloadableModels(source, tmp_path / "used", SERVING, lambda _: None)
    last = restarted.models_for(KEPT_VERSIONS - 1, is_rerun=True).anomaly_version
    assert last == used[-1][:12]
