"""Model store of the stream's classifier: the active model, checks, and activation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from fraudwatch.adapters.artefacts.calibration_artefact import (
    expect_calibration_of,
    read_calibration,
)
from fraudwatch.adapters.artefacts.model_artefact import read_artefact
from fraudwatch.adapters.artefacts.model_pointer import (
    CanaryPointer,
    Pointer,
    end_canary,
    locked_pointer,
    point_to,
    read_pointer,
    replace_pointer,
)
from fraudwatch.adapters.artefacts.reloadable_models import load_named
from fraudwatch.adapters.artefacts.usable_models import usable_models
from fraudwatch.application.promotion.canary import CanaryRefused
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
        """Move the pointer; other kinds of models stay unchanged, and a canary ends."""
        point_to(self.folder, ModelKind.XGBOOST, sha256, calibration=calibration)

    def canary_model(self) -> str | None:
        """Return the hash of the canary's model; None without a canary."""
        canary = read_pointer(self.folder).canary
        return canary.model if canary else None

    def start_canary(
        self, sha256: str, calibration: str, *, share_ratio: float, started_at_ms: int
    ) -> None:
        """Add the canary to the pointer, instead of one that runs.

        Raises:
            CanaryRefused: no calibrated model is active, or it is this one.
        """
        canary = CanaryPointer(
            model=sha256,
            calibration=calibration,
            share_ratio=share_ratio,
            started_at_ms=started_at_ms,
        )
        with locked_pointer(self.folder) as pointer:
            active = pointer.models.get(ModelKind.XGBOOST)
            if active is None or pointer.calibration is None:
                raise CanaryRefused(
                    "no calibrated model is active, so there is nothing to compare a canary with; "
                    "nothing was changed"
                )
            if active == sha256:
                raise CanaryRefused(f"model {sha256[:12]} is the champion; nothing was changed")
            replace_pointer(self.folder, replace(pointer, canary=canary))

    def end_canary(self) -> str | None:
        """Remove the canary from the pointer; return the hash of its model."""
        return end_canary(self.folder)


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
