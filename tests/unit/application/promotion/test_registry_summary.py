"""Summary of the registry: what it has, its file, and the difference of two versions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from fraudwatch.adapters.artefacts.registry_summary_file import (
    FILE_NAME,
    publish_summary,
    registry_summary_file,
)
from fraudwatch.adapters.memory.registry import MemoryRegistry
from fraudwatch.application.operations.exporters import ExporterReading, Readings
from fraudwatch.application.operations.model_health import METRICS, model_health
from fraudwatch.application.promotion.model_changes import SummaryUnavailable
from fraudwatch.application.promotion.promote import PROMOTED_AT, ModelLifecycle
from fraudwatch.application.promotion.registry_summary import MAX_VERSIONS, summarise
from fraudwatch.application.promotion.version_difference import (
    changed_inputs,
    importance_changes,
)
from fraudwatch.domain.training.versions import Alias, TrainingRecord
from fraudwatch.observability.metrics import METRICS as CATALOGUE
from tests.model_registry import CHAMPION, FORMER, a_registry, drift_samples

DOCUMENTS = {
    "folds.json": [
        {
            "days": {
                "train_from": "2026-01-01",
                "train_until": "2026-01-31",
                "test_from": "2026-02-04",
                "test_until": "2026-02-10",
                "is_prequential": True,
            },
            "models": {
                "xgboost": {"average_precision": 0.7, "auc": float("nan")},
                "random_forest": {"average_precision": 0.6},
            },
        }
    ],
    "verdict.json": {
        "bounds": {"review_from": 0.08, "decline_from": None},
        "challenger": {
            "reliability": [
                {
                    "purchases": 40,
                    "predicted": 0.5,
                    "observed": 0.45,
                    "interval": [0.3, 0.6],
                    "is_inside": True,
                }
            ]
        },
    },
    "importance.json": [{"feature": "hour", "gain_ratio": 0.5}],
    "curves.json": {"precision_recall": {}},
}


@dataclass
class Store:
    """Model store with a pointer that a test sets."""

    folder: Path
    active: str | None = None

    def current(self) -> str | None:
        return self.active

    def check(self, sha256: str, calibration: str | None) -> None:
        raise NotImplementedError

    def activate(self, sha256: str, calibration: str) -> None:
        raise NotImplementedError


@pytest.fixture
def models(tmp_path: Path) -> ModelLifecycle:
    return ModelLifecycle(
        MemoryRegistry(tmp_path / "kept"), Store(tmp_path / "models"), lambda: 1_000
    )


def register(models: ModelLifecycle, folder: Path, digit: str, **documents: object) -> int:
    (folder / f"{digit * 64}.npz").write_bytes(b"x")
    record = TrainingRecord(
        sha256=digit * 64,
        parameters={},
        tags={"gate": "better"},
        metrics={"xgboost.auc.mean": 0.9, "unknown": float("nan")},
        documents=documents,
    )
    return models.registry.register(record, folder)


def test_a_version_has_its_folds_calibration_and_importance(
    models: ModelLifecycle, tmp_path: Path
) -> None:
    first = register(models, tmp_path, "a", **DOCUMENTS)
    second = register(models, tmp_path, "b")
    models.registry.add_facts(first, {PROMOTED_AT: "77"})
    models.registry.set_alias(Alias.CHALLENGER, second)
    assert isinstance(models.model_store, Store)
    models.model_store.active = "a" * 64
    found = summarise(models)
    assert [one.version for one in found.versions] == [second, first]
    assert found.champion is not None
    assert found.waiting is not None
    assert (found.champion.version, found.waiting.version) == (first, second)
    champion = found.champion
    assert champion.promoted_at_ms == 77
    assert champion.metrics == {"xgboost.auc.mean": 0.9}
    [fold] = champion.folds
    assert (fold.test_from, fold.metrics) == ("2026-02-04", {"average_precision": 0.7})
    [point] = champion.reliability
    assert (point.predicted, point.low, point.high) == (0.5, 0.3, 0.6)
    assert champion.bounds == {"review_from": 0.08}
    assert [(one.feature, one.gain_ratio) for one in champion.importance] == [("hour", 0.5)]
    # A training of before has not all documents.
    assert (found.waiting.folds, found.waiting.reliability, found.waiting.importance) == (
        (),
        (),
        (),
    )


def test_old_versions_are_left_out_but_never_the_champion(
    models: ModelLifecycle, tmp_path: Path
) -> None:
    for number in range(MAX_VERSIONS + 3):
        (tmp_path / f"{number:064x}.npz").write_bytes(b"x")
        record = TrainingRecord(sha256=f"{number:064x}", parameters={}, tags={}, metrics={})
        models.registry.register(record, tmp_path)
    assert isinstance(models.model_store, Store)
    models.model_store.active = f"{0:064x}"
    found = summarise(models)
    assert len(found.versions) == MAX_VERSIONS + 1
    assert found.champion is not None
    assert found.champion.version == 1


def test_the_file_brings_back_what_was_written(tmp_path: Path) -> None:
    file = registry_summary_file(tmp_path / "models" / FILE_NAME)
    assert file.read() is None
    file.write(a_registry())
    assert file.read() == a_registry()


@pytest.mark.parametrize("content", ["{", '{"format": 1}', '{"format": 2, "registry": REGISTRY}'])
def test_a_file_that_cannot_be_used_is_reported(tmp_path: Path, content: str) -> None:
    file = registry_summary_file(tmp_path / FILE_NAME)
    file.write(a_registry())
    registry = json.dumps(json.loads(file.path.read_bytes())["registry"])
    file.path.write_text(content.replace("REGISTRY", registry))
    with pytest.raises(SummaryUnavailable, match="cannot be read"):
        file.read()


def test_a_summary_that_cannot_be_written_fails_no_job(
    models: ModelLifecycle, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publish_summary(models)
    written = registry_summary_file(tmp_path / "models" / FILE_NAME).read()
    assert written is not None
    assert written.versions == ()
    (tmp_path / "models" / FILE_NAME).unlink()
    (tmp_path / "models").rmdir()
    (tmp_path / "models").write_text("a file, no folder")
    publish_summary(models)
    assert "cannot be written" in caplog.text


def test_inputs_and_features_that_differ_are_named() -> None:
    found = {(one.name, one.before, one.after) for one in changed_inputs(FORMER, CHAMPION)}
    assert found == {
        ("Last day of training", "2026-02-01", "2026-02-02"),
        ("Version of core_labels", "10", "20"),
        ("Feature removed", "spend_1h", None),
        ("Feature added", None, "hour"),
    }
    assert changed_inputs(FORMER, FORMER) == []


def test_importance_is_compared_by_feature() -> None:
    found = [(one.feature, one.before, one.after) for one in importance_changes(FORMER, CHAMPION)]
    assert found == [
        ("amount_eur_cents", pytest.approx(0.41), pytest.approx(0.42)),
        ("hour", None, 0.2),
        ("spend_1h", 0.2, None),
    ]


def test_health_is_that_of_the_batch_jobs() -> None:
    found = model_health(Readings((ExporterReading(exporter="jobs", samples=drift_samples()),)))
    assert found.psi == {"score": 0.02, "features": 0.31}
    assert (found.features_moved, found.calibration_slope) == (2, 0.94)
    young, old = found.quality
    assert (young.label_age, young.precision_ratio, young.recall_ratio) == ("3d", 0.58, 0.7)
    assert (old.label_age, old.precision_ratio, old.recall_ratio) == ("30d", 0.61, None)
    assert not model_health(Readings()).is_measured
    assert set(METRICS) <= set(CATALOGUE)
