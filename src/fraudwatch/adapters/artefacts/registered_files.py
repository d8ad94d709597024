"""Name the files of a registered version: its model, and its calibration if it has one."""

from __future__ import annotations

from fraudwatch.adapters.artefacts.calibration_artefact import CALIBRATION_FILES
from fraudwatch.adapters.artefacts.model_artefact import MODEL_FILES
from fraudwatch.domain.training.versions import ModelVersion, TrainingRecord


def file_names(registered: ModelVersion | TrainingRecord) -> list[str]:
    """Return the names of the files, the model's first."""
    names = [MODEL_FILES.name_of(registered.sha256)]
    if registered.calibration:
        names.append(CALIBRATION_FILES.name_of(registered.calibration))
    return names
