"""Starting and ending a canary, and what ends it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fraudwatch.adapters.artefacts.canary_pointer import CanaryPointerFolder
from fraudwatch.adapters.artefacts.model_artefact import MODEL_FILES
from fraudwatch.adapters.artefacts.model_folder import ModelFolder, renew_calibration
from fraudwatch.adapters.artefacts.model_pointer import POINTER_NAME, read_pointer
from fraudwatch.adapters.artefacts.model_pruning import prune_fitted
from fraudwatch.adapters.memory.registry import MemoryRegistry
from fraudwatch.application.promotion.canary import CanaryRefused, end_canary, start_canary
from fraudwatch.application.promotion.promote import ModelLifecycle, approve, promote
from fraudwatch.domain.models.fitted import BrokenModel
from fraudwatch.domain.training.versions import Alias
from tests.unit.application.promotion.test_promote import a_model, a_record, its_calibration


@pytest.fixture
def models(tmp_path: Path) -> ModelLifecycle:
    """A champion, version 1, and a challenger that waits, version 2."""
    made = ModelLifecycle(
        MemoryRegistry(tmp_path / "registry"), ModelFolder(tmp_path / "models", 3), lambda: 5_000
    )
    for seed in (1, 2, 3):
        register(made, seed)
    promote(made, 1, expected_current=None)
    made.registry.set_alias(Alias.CHALLENGER, 2)
    return made


def promote_third(models: ModelLifecycle) -> None:
    promote(models, 3, expected_current=models.model_store.current())


def register(models: ModelLifecycle, seed: int) -> None:
    folder = models.model_store.folder
    sha256 = a_model(folder, seed)
    models.registry.register(a_record(sha256, its_calibration(folder, sha256)), folder)


def test_a_challenger_scores_a_share_and_the_champion_stays(models: ModelLifecycle) -> None:
    before = models.champion()
    tried = start_canary(models, 2, 0.05)
    pointer = read_pointer(models.model_store.folder)
    assert pointer.canary is not None
    assert (pointer.canary.model, pointer.canary.calibration) == (tried.sha256, tried.calibration)
    assert (pointer.canary.share_ratio, pointer.canary.started_at_ms) == (0.05, 5_000)
    assert models.champion() == before
    assert models.model_store.canary_model() == tried.sha256
    ended = end_canary(models)
    assert ended is not None
    assert ended.version == 2
    assert read_pointer(models.model_store.folder).canary is None
    with pytest.raises(CanaryRefused, match="no canary is active"):
        end_canary(models)


@pytest.mark.parametrize(
    ("version", "share", "reason"),
    [
        (3, 0.05, "neither passed the promotion gate nor was champion before"),
        (1, 0.05, "is the champion"),
        (2, 0.0, "above 0 and at most 50%"),
        (2, 0.6, "above 0 and at most 50%"),
    ],
)
def test_what_may_not_be_tried_is_refused(
    models: ModelLifecycle, version: int, share: float, reason: str
) -> None:
    before = (models.model_store.folder / POINTER_NAME).read_bytes()
    with pytest.raises(CanaryRefused, match=reason):
        start_canary(models, version, share)
    assert (models.model_store.folder / POINTER_NAME).read_bytes() == before


def test_without_a_champion_there_is_nothing_to_compare_with(
    models: ModelLifecycle,
) -> None:
    (models.model_store.folder / POINTER_NAME).unlink()
    with pytest.raises(CanaryRefused, match="no calibrated model is active"):
        start_canary(models, 2, 0.05)


def test_a_broken_artefact_is_not_tried(models: ModelLifecycle) -> None:
    [sha256] = [one.sha256 for one in models.registry.versions() if one.version == 2]
    (models.model_store.folder / MODEL_FILES.name_of(sha256)).write_bytes(b"altered")
    with pytest.raises(BrokenModel, match="altered"):
        start_canary(models, 2, 0.05)


@pytest.mark.parametrize("end", [lambda m: approve(m, 2), promote_third])
def test_another_champion_ends_it(
    models: ModelLifecycle, end: Callable[[ModelLifecycle], object]
) -> None:
    start_canary(models, 2, 0.05)
    end(models)
    assert read_pointer(models.model_store.folder).canary is None


def test_it_outlives_a_newer_calibration_and_pruning(models: ModelLifecycle) -> None:
    tried, folder = start_canary(models, 2, 0.05), models.model_store.folder
    champion = models.champion()
    assert champion is not None
    newer = its_calibration(folder, champion.sha256, seed=9)
    renew_calibration(folder, champion.sha256, newer)
    for seed in range(10, 18):
        register(models, seed)
    prune_fitted(folder)
    pointer = read_pointer(folder)
    assert (pointer.calibration, pointer.canary and pointer.canary.model) == (newer, tried.sha256)
    assert (folder / MODEL_FILES.name_of(tried.sha256)).exists()


def test_its_guard_ends_only_the_canary_that_it_counted(models: ModelLifecycle) -> None:
    start_canary(models, 2, 0.05)
    folder = models.model_store.folder
    counted = read_pointer(folder).canary
    assert counted is not None
    start_canary(models, 2, 0.1)
    CanaryPointerFolder(folder).end(counted)
    assert read_pointer(folder).canary is not None
