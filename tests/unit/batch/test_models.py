from __future__ import annotations

import json
from pathlib import Path

import pytest

from batch import models as command
from batch.models import parse_arguments, run_action
from fraudwatch.adapters.artefacts.calibration_artefact import CALIBRATION_FILES
from fraudwatch.adapters.artefacts.model_folder import ModelFolder
from fraudwatch.adapters.artefacts.registry_summary_file import FILE_NAME, registry_summary_file
from fraudwatch.adapters.memory.registry import MemoryRegistry
from fraudwatch.application.promotion.promote import ModelLifecycle
from fraudwatch.domain.training.versions import Alias, NoSuchVersion, TrainingRecord


@pytest.fixture
def models(tmp_path: Path) -> ModelLifecycle:
    return ModelLifecycle(
        MemoryRegistry(tmp_path / "kept"), ModelFolder(tmp_path / "models", 3), lambda: 1_000
    )


def test_an_empty_registry_lists_nothing(models: ModelLifecycle) -> None:
    assert run_action(models, "ls", None) == {"in_use": None, "canary": None, "versions": []}


def test_a_version_is_printed_with_all_fields(models: ModelLifecycle, tmp_path: Path) -> None:
    artefact = tmp_path / f"{'a' * 64}.npz"
    artefact.write_bytes(b"x")
    record = TrainingRecord(
        sha256="a" * 64, parameters={}, tags={"gate": "better"}, metrics={"ap": 0.5}
    )
    models.registry.register(record, tmp_path)
    listed = run_action(models, "ls", None)
    shown = run_action(models, "show", 1)
    assert listed["versions"] == [shown]
    assert json.loads(json.dumps(shown)) == shown
    assert (shown["version"], shown["is_in_use"], shown["aliases"]) == (1, False, [])
    assert (shown["tags"], shown["metrics"]) == ({"gate": "better"}, {"ap": 0.5})


def test_a_version_is_restored_with_its_calibration(
    monkeypatch: pytest.MonkeyPatch, models: ModelLifecycle, tmp_path: Path
) -> None:
    checked: list[tuple[str, str | None]] = []
    monkeypatch.setattr(ModelFolder, "check", lambda _, *found: checked.append(found))
    for path in (tmp_path / f"{'a' * 64}.npz", tmp_path / CALIBRATION_FILES.name_of("b" * 64)):
        path.write_bytes(b"x")
    record = TrainingRecord(
        sha256="a" * 64, calibration="b" * 64, parameters={}, tags={}, metrics={}
    )
    models.registry.register(record, tmp_path)
    shown = run_action(models, "restore", 1)
    assert (shown["sha256"], shown["calibration"]) == ("a" * 64, "b" * 64)
    assert checked == [("a" * 64, "b" * 64)]
    assert not shown["is_in_use"]  # it is only there to be compared
    assert (tmp_path / "models" / f"{'a' * 64}.npz").exists()


@pytest.mark.parametrize("action", ["show", "restore", "approve", "rollback"])
def test_an_unknown_version_is_refused(models: ModelLifecycle, action: str) -> None:
    with pytest.raises(NoSuchVersion, match="no version 4 of the model; registered: none"):
        run_action(models, action, 4)


def test_the_command_line() -> None:
    assert parse_arguments(["rollback"]).version is None
    assert parse_arguments(["rollback", "3"]).version == 3
    assert parse_arguments(["show", "3"]).version == 3
    for wrong in (["show"], ["approve"], ["drop", "1"], []):
        with pytest.raises(SystemExit):
            parse_arguments(wrong)


def test_the_command_prints_one_object_or_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    models: ModelLifecycle,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("TRAINING_MODELS_FOLDER", str(tmp_path / "models"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////nowhere")
    monkeypatch.setenv("MLFLOW_ARTIFACTS_FOLDER", str(tmp_path / "kept"))
    monkeypatch.setattr(command, "MlflowRegistry", lambda *_: models.registry)
    monkeypatch.setattr("sys.argv", ["models", "ls"])
    assert command.main() == 0
    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line)["versions"] == []
    assert not (tmp_path / "models" / FILE_NAME).exists()  # reading changes nothing
    monkeypatch.setattr("sys.argv", ["models", "rollback"])
    assert command.main() == command.REFUSED
    assert "nothing to go back to" in capsys.readouterr().err.splitlines()[-1]


def test_a_change_publishes_the_summary_that_the_console_shows(
    monkeypatch: pytest.MonkeyPatch, models: ModelLifecycle, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRAINING_MODELS_FOLDER", str(tmp_path / "models"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////nowhere")
    monkeypatch.setenv("MLFLOW_ARTIFACTS_FOLDER", str(tmp_path / "kept"))
    monkeypatch.setattr(command, "MlflowRegistry", lambda *_: models.registry)
    monkeypatch.setattr(ModelFolder, "check", lambda *_: None)
    for path in (tmp_path / f"{'a' * 64}.npz", tmp_path / CALIBRATION_FILES.name_of("b" * 64)):
        path.write_bytes(b"x")
    record = TrainingRecord(
        sha256="a" * 64, calibration="b" * 64, parameters={}, tags={}, metrics={}
    )
    version = models.registry.register(record, tmp_path)
    models.registry.set_alias(Alias.CHALLENGER, version)
    monkeypatch.setattr("sys.argv", ["models", "approve", str(version)])
    assert command.main() == 0
    written = registry_summary_file(tmp_path / "models" / FILE_NAME).read()
    assert written is not None
    assert written.champion is not None
    assert (written.champion.version, written.waiting) == (version, None)
