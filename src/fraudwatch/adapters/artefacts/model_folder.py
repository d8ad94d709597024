"""Model store of the stream's classifier: the active model, checks, and activation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from fraudwatch.adapters.artefacts.calibration_artefact import (
    expect_calibration_of,
    read_calibration,
)
from fraudwatch.adapters.artefacts.model_artefact import (
    Pointer,
    locked_pointer,
    point_to,
    read_artefact,
    replace_pointer,
)
from fraudwatch.adapters.artefacts.reloadable_models import load_named
from fraudwatch.adapters.artefacts.usable_models import usable_models
from fraudwatch.application.promotion.promote import ChampionChanged
from fraudwatch.domain.calibration.calibrator import BrokenCalibration
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.models.active_models import check_outputs
from fraudwatch.domain.models.fitted import BrokenModel, ModelKind
from fraudwatch.domain.models.serving import ServingVersions


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """See :class:`~fraudwatch.application.promotion.promote.ModelStore`."""

    folder: Path
    label_delay_days: int

    def current(self) -> str | None:
        """Return the hash that the pointer names, whether or not the artefact is readable."""
        with locked_pointer(self.folder) as pointer:
            return pointer.models.get(ModelKind.XGBOOST)

    def check(self, sha256: str, calibration: str | None) -> None:
        """Check a model and its calibration as the detector does before loading them.

        Raises:
            BrokenModel: the detector would refuse it.
        """
        pointer = Pointer({ModelKind.XGBOOST: sha256}, calibration)
        serving = ServingVersions(features_version(), self.label_delay_days)
        try:
            usable = usable_models(self.folder, pointer, serving)
            found = load_named(self.folder, usable.pointer)
        except (FileNotFoundError, BrokenCalibration) as error:
            raise BrokenModel(str(error)) from error
        if usable.left_out:
            raise BrokenModel(f"the stream would not use it: {usable.left_out[0]}")
        check_outputs(found)

    def activate(self, sha256: str, calibration: str) -> None:
        """Move the pointer; other kinds of models stay unchanged."""
        point_to(self.folder, ModelKind.XGBOOST, sha256, calibration=calibration)


def renew_calibration(folder: Path, model_sha256: str, calibration: str) -> None:
    """Activate a newer calibration of the active model, which stays.

    Raises:
        BrokenCalibration: it cannot be used, or is another model's.
        BrokenModel: the model cannot be read.
        ChampionChanged: another model is active; nothing was changed.
        FileNotFoundError: the calibration or the model is not in the folder.
    """
    model = read_artefact(folder, model_sha256).about
    expect_calibration_of(
        read_calibration(folder, calibration), model_sha256, model.features_version
    )
    with locked_pointer(folder) as pointer:
        if (active := pointer.models.get(ModelKind.XGBOOST)) != model_sha256:
            raise ChampionChanged(
                f"the calibration of model {model_sha256[:12]} was not renewed: "
                f"{active[:12] if active else 'none'} is active by now, with its own"
            )
        replace_pointer(folder, replace(pointer, calibration=calibration))
