"""Order of a promotion, and the state after a crash at any step."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb

from fraudwatch.adapters.artefacts.model_artefact import write_artefact
from fraudwatch.adapters.artefacts.model_folder import ModelFolder, renew_calibration
from fraudwatch.adapters.artefacts.model_pointer import POINTER_NAME
from fraudwatch.adapters.artefacts.xgboost_model import xgboost_artefact
from fraudwatch.adapters.memory.registry import MemoryRegistry
from fraudwatch.application.promotion.promote import (
    ChampionChanged,
    ModelLifecycle,
    approve,
    promote,
    roll_back,
    sync_registry_alias,
)
from fraudwatch.domain.calibration.calibrator import BrokenCalibration
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.models.fitted import BrokenModel, ModelKind, ModelMetadata, normal_of
from fraudwatch.domain.training.versions import Alias, NoSuchVersion, TrainingRecord
from tests.calibrations import write_a_calibration

NAMES = ("item_count", "amount_eur_cents")
_CLOCK = count(1_000)


def a_model(
    folder: Path, seed: int, version: str | None = None, label_delay_days: int | None = 3
) -> str:
    rows = np.random.default_rng(seed).random((200, len(NAMES)))
    data = xgb.DMatrix(rows, (rows[:, 1] > 0.5).astype(float))
    booster = xgb.train({"objective": "binary:logistic", "nthread": 1}, data, num_boost_round=3)
    about = ModelMetadata(
        kind=ModelKind.XGBOOST,
        features=NAMES,
        features_version=version or features_version(),
        fitted_at_ms=seed,
        rows=200,
        from_ms=1,
        until_ms=2,
        label_delay_days=label_delay_days,
    )
    return write_artefact(folder, xgboost_artefact(booster, about, normal_of(rows)))


def a_record(sha256: str, calibration: str | None) -> TrainingRecord:
    return TrainingRecord(
        sha256=sha256,
        calibration=calibration,
        parameters={},
        tags={"features": "x"},
        metrics={"ap": 0.5},
    )


def its_calibration(folder: Path, sha256: str, **changes: Any) -> str:
    return write_a_calibration(
        folder, sha256, **{"features_version": features_version(), **changes}
    )


@pytest.fixture
def models(tmp_path: Path) -> ModelLifecycle:
    return ModelLifecycle(
        MemoryRegistry(tmp_path / "registry"),
        ModelFolder(tmp_path / "models", 3),
        lambda: next(_CLOCK),
    )


@pytest.fixture
def registered(models: ModelLifecycle) -> Callable[[int], int]:
    def register(seed: int) -> int:
        folder = models.model_store.folder
        sha256 = a_model(folder, seed)
        calibration = its_calibration(folder, sha256)
        return models.registry.register(a_record(sha256, calibration), folder)

    return register


def champion(models: ModelLifecycle) -> int | None:
    found = models.champion()
    return found.version if found else None


def aliases(models: ModelLifecycle) -> dict[str, int]:
    return {name: one.version for one in models.registry.versions() for name in one.aliases}


def test_a_promoted_model_is_the_active_one(
    models: ModelLifecycle, registered: Callable[[int], int]
) -> None:
    version = registered(1)
    made = promote(models, version, expected_current=None)
    pointer = json.loads((models.model_store.folder / POINTER_NAME).read_text())
    assert pointer == {"xgboost": made.sha256, "calibration": made.calibration}
    assert aliases(models) == {"champion": version}
    assert made.promoted_at_ms is not None
    assert sync_registry_alias(models) is None


def test_a_concurrent_champion_is_not_replaced(
    models: ModelLifecycle, registered: Callable[[int], int]
) -> None:
    first, second, third = registered(1), registered(2), registered(3)
    before = promote(models, first, expected_current=None).sha256
    promote(models, second, expected_current=before)
    with pytest.raises(ChampionChanged, match="version 3 was not promoted"):
        promote(models, third, expected_current=before)
    assert (champion(models), aliases(models)) == (second, {"champion": second})


def test_a_corrupt_artefact_changes_nothing(
    models: ModelLifecycle, registered: Callable[[int], int]
) -> None:
    first, second = registered(1), registered(2)
    in_use = promote(models, first, expected_current=None).sha256
    broken = models.registry.versions()[0].sha256
    (models.model_store.folder / f"{broken}.npz").write_bytes(b"rubbish")
    with pytest.raises(BrokenModel, match="was altered"):
        promote(models, second, expected_current=in_use)
    assert (champion(models), aliases(models)) == (first, {"champion": first})


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"version": "yesterday"}, "fitted on features yesterday and today's are"),
        ({"label_delay_days": 7}, "a label delay of 7 days and LABEL_DELAY_DAYS is 3"),
    ],
)
def test_a_model_that_the_stream_leaves_out_is_refused(
    models: ModelLifecycle, changed: dict[str, Any], why: str
) -> None:
    folder = models.model_store.folder
    sha256 = a_model(folder, 1, **changed)
    features = changed.get("version", features_version())
    calibration = its_calibration(folder, sha256, features_version=features)
    version = models.registry.register(a_record(sha256, calibration), folder)
    with pytest.raises(BrokenModel, match=why):
        promote(models, version, expected_current=None)
    assert models.model_store.current() is None


def test_a_version_without_a_usable_calibration_is_refused(models: ModelLifecycle) -> None:
    folder = models.model_store.folder
    one, two, three = (a_model(folder, seed) for seed in (1, 2, 3))
    without = models.registry.register(a_record(one, None), folder)
    with pytest.raises(BrokenModel, match="version 1 has no calibration"):
        promote(models, without, expected_current=None)
    foreign = models.registry.register(a_record(two, its_calibration(folder, one)), folder)
    with pytest.raises(BrokenModel, match="is of model"):
        promote(models, foreign, expected_current=None)
    calibration = its_calibration(folder, three)
    broken = models.registry.register(a_record(three, calibration), folder)
    (folder / f"{calibration}.calibration.npz").write_bytes(b"rubbish")
    with pytest.raises(BrokenModel, match="was altered"):
        promote(models, broken, expected_current=None)
    assert models.model_store.current() is None


def test_a_renewed_calibration_is_activated_only_while_its_model_is_active(
    models: ModelLifecycle, registered: Callable[[int], int]
) -> None:
    folder = models.model_store.folder
    first = promote(models, registered(1), expected_current=None)
    renewed = its_calibration(folder, first.sha256, seed=9)
    renew_calibration(folder, first.sha256, renewed)
    pointer = json.loads((folder / POINTER_NAME).read_text())
    assert pointer == {"xgboost": first.sha256, "calibration": renewed}
    second = promote(models, registered(2), expected_current=first.sha256)
    with pytest.raises(ChampionChanged, match=f"{second.sha256[:12]} is active by now"):
        renew_calibration(folder, first.sha256, renewed)
    with pytest.raises(BrokenCalibration, match="is of model"):
        renew_calibration(folder, second.sha256, renewed)
    pointer = json.loads((folder / POINTER_NAME).read_text())
    assert pointer == {"xgboost": second.sha256, "calibration": second.calibration}


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Lets the process die when it comes to a step."""

    def die_at(step: str) -> None:
        def die(*_: object) -> None:
            raise KeyboardInterrupt(step)

        target = ModelFolder if step in ("activate", "check") else MemoryRegistry
        monkeypatch.setattr(target, step, die)

    yield die_at
    monkeypatch.undo()


@pytest.mark.parametrize("step", ["restore", "check", "set_alias", "activate", "add_facts"])
def test_a_crash_at_any_step_leaves_a_champion_and_the_next_run_syncs_the_alias(
    models: ModelLifecycle,
    registered: Callable[[int], int],
    dying: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    first, second = registered(1), registered(2)
    in_use = promote(models, first, expected_current=None).sha256
    dying(step)
    with pytest.raises(KeyboardInterrupt):
        promote(models, second, expected_current=in_use)
    monkeypatch.undo()
    # Only the last step lies behind the pointer: then the new one is in use.
    expected = second if step == "add_facts" else first
    sync_registry_alias(models)
    assert (champion(models), aliases(models)) == (expected, {"champion": expected})
    assert sync_registry_alias(models) is None
    done = promote(models, second, expected_current=models.model_store.current())
    assert (champion(models), done.promoted_at_ms is not None) == (second, True)


def test_a_lost_registry_has_no_champion(
    models: ModelLifecycle, registered: Callable[[int], int], tmp_path: Path
) -> None:
    promote(models, registered(1), expected_current=None)
    other = MemoryRegistry(tmp_path / "new")
    alone = ModelLifecycle(other, models.model_store, models.now_ms)
    assert sync_registry_alias(alone) is None
    assert alone.champion() is None


def test_only_a_waiting_challenger_can_be_approved(
    models: ModelLifecycle, registered: Callable[[int], int]
) -> None:
    version = registered(1)
    with pytest.raises(NoSuchVersion, match="does not wait for approval"):
        approve(models, version)
    models.registry.set_alias(Alias.CHALLENGER, version)
    approve(models, version)
    assert aliases(models) == {"champion": version}
    with pytest.raises(NoSuchVersion, match=r"no version 9.*registered: 1"):
        approve(models, 9)


def test_roll_back_step_by_step_and_to_any_former_champion(
    models: ModelLifecycle, registered: Callable[[int], int]
) -> None:
    with pytest.raises(NoSuchVersion, match="nothing to go back to"):
        roll_back(models)
    numbers = [registered(seed) for seed in (1, 2, 3)]
    for number in numbers:
        promote(models, number, expected_current=models.model_store.current())
    never = registered(4)
    # Its files were pruned; the registry has them still.
    second = models.registry.versions()[2]
    folder = models.model_store.folder
    (folder / f"{second.sha256}.npz").unlink()
    (folder / f"{second.calibration}.calibration.npz").unlink()
    assert roll_back(models).version == numbers[1]
    pointer = json.loads((folder / POINTER_NAME).read_text())
    assert pointer == {"xgboost": second.sha256, "calibration": second.calibration}
    assert roll_back(models).version == numbers[0]
    with pytest.raises(NoSuchVersion, match="nothing to go back to"):
        roll_back(models)
    assert roll_back(models, numbers[2]).version == numbers[2]
    with pytest.raises(NoSuchVersion, match="never champion"):
        roll_back(models, never)
    assert aliases(models) == {"champion": numbers[2]}
