"""Contract of model registries: memory twin and MLflow over SQLite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fraudwatch.adapters.artefacts.mlflow_registry import MlflowRegistry
from fraudwatch.adapters.memory.registry import MemoryRegistry
from fraudwatch.application.promotion.promote import PROMOTED_AT, ModelRegistry, RegistryUnavailable
from fraudwatch.domain.training.curves import CURVES
from fraudwatch.domain.training.versions import Alias, TrainingRecord


def _mlflow(folder: Path) -> ModelRegistry:
    return MlflowRegistry(f"sqlite:///{folder}/mlflow/mlflow.db", folder / "artifacts")


def _memory(folder: Path) -> ModelRegistry:
    return MemoryRegistry(folder / "kept")


@pytest.fixture(params=[_memory, _mlflow], ids=["memory", "mlflow"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> ModelRegistry:
    make: Callable[[Path], ModelRegistry] = request.param
    return make(tmp_path)


def a_record(digit: str) -> TrainingRecord:
    return TrainingRecord(
        sha256=digit * 64,
        calibration=digit * 63 + "0",
        parameters={"train_days": "30"},
        tags={"table.core_labels": "17", "features": "amount_eur_cents"},
        metrics={"xgboost.average_precision.mean": 0.75, "unknown": float("nan")},
        documents={"folds.json": [{"models": {}}]},
    )


MODEL, CALIBRATION = f"{'a' * 64}.npz", f"{'a' * 63}0.calibration.npz"


def files(folder: Path, digit: str) -> Path:
    """Folder with model and calibration of a record."""
    (folder / f"{digit * 64}.npz").write_bytes(digit.encode())
    (folder / f"{digit * 63}0.calibration.npz").write_bytes(f"of {digit}".encode())
    return folder


def test_a_registry(registry: ModelRegistry, tmp_path: Path) -> None:
    assert list(registry.versions()) == []
    registry.set_alias(Alias.CHAMPION, None)  # taken from nobody
    first = registry.register(a_record("a"), files(tmp_path, "a"))
    second = registry.register(a_record("b"), files(tmp_path, "b"))
    assert registry.register(a_record("a"), tmp_path / "gone") == first
    newest, oldest = registry.versions()
    assert (oldest.version, newest.version) == (first, second)
    assert (oldest.sha256, oldest.promoted_at_ms, oldest.aliases) == ("a" * 64, None, ())
    assert oldest.tags["table.core_labels"] == "17"
    assert oldest.calibration == oldest.tags["calibration"] == "a" * 63 + "0"
    assert oldest.metrics["xgboost.average_precision.mean"] == 0.75
    assert registry.documents(first, ["folds.json", "gone.json"]) == {
        "folds.json": [{"models": {}}]
    }

    registry.set_alias(Alias.CHAMPION, first)
    registry.set_alias(Alias.CHALLENGER, second)
    registry.add_facts(first, {PROMOTED_AT: "1234"})
    newest, oldest = registry.versions()
    assert (oldest.aliases, oldest.promoted_at_ms) == (("champion",), 1234)
    registry.set_alias(Alias.CHAMPION, second)
    registry.set_alias(Alias.CHALLENGER, None)
    newest, oldest = registry.versions()
    assert (newest.aliases, oldest.aliases) == (("champion",), ())

    folder = tmp_path / "models"
    folder.mkdir()
    (tmp_path / MODEL).unlink()
    (tmp_path / CALIBRATION).unlink()
    registry.restore(first, folder)
    assert (folder / MODEL).read_bytes() == b"a"
    assert (folder / CALIBRATION).read_bytes() == b"of a"
    (folder / MODEL).write_bytes(b"its own")
    (folder / CALIBRATION).unlink()
    registry.restore(first, folder)  # only what is missing
    assert (folder / MODEL).read_bytes() == b"its own"
    assert (folder / CALIBRATION).read_bytes() == b"of a"
    assert {path.name for path in folder.iterdir()} == {MODEL, CALIBRATION}


def test_a_version_may_have_no_calibration(registry: ModelRegistry, tmp_path: Path) -> None:
    record = replace(a_record("a"), calibration=None)
    version = registry.register(record, files(tmp_path, "a"))
    assert registry.versions()[0].calibration is None
    registry.restore(version, tmp_path / "models")
    assert [path.name for path in (tmp_path / "models").iterdir()] == [MODEL]


def test_a_run_in_mlflow_shows_its_curves(tmp_path: Path) -> None:
    curves = {
        "precision_recall": {"xgboost": [{"recall": 0.5, "precision": 0.9}], "rules": []},
        "reliability": [{"purchases": 7, "probability": 0.2, "fraud_ratio": 0.1}],
    }
    record = replace(a_record("c"), documents={CURVES: curves})
    _mlflow(tmp_path).register(record, files(tmp_path, "c"))
    pictures = {path.name: path.read_bytes() for path in (tmp_path / "artifacts").rglob("*.png")}
    assert set(pictures) == {"precision_recall.png", "reliability.png"}
    assert all(picture.startswith(b"\x89PNG") for picture in pictures.values())


def test_an_unavailable_registry_raises_without_its_address(tmp_path: Path) -> None:
    with pytest.raises(RegistryUnavailable, match="MLFLOW_TRACKING_URI") as raised:
        MlflowRegistry("sqlite3+nothing://user:secret-word@nowhere/x", tmp_path)
    assert "secret-word" not in str(raised.value)
