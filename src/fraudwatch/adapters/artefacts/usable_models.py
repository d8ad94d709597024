"""Leave out of a pointer the models that may not be served: other features, another label delay."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from fraudwatch.adapters.artefacts.model_artefact import Pointer, read_artefact
from fraudwatch.domain.models.fitted import VERSION_LENGTH, ModelKind, UnknownFeatures
from fraudwatch.domain.models.serving import ServingVersions


class UsableModels(NamedTuple):
    """Pointer to the models that may be served, and a sentence for each that is left out."""

    pointer: Pointer
    left_out: tuple[str, ...]


def usable_models(folder: Path, named: Pointer, serving: ServingVersions) -> UsableModels:
    """Check every model that a pointer names; a calibration stays only with its classifier.

    Raises:
        FileNotFoundError: an artefact is not there.
        BrokenModel: an artefact cannot be used.
    """
    reasons = {kind: _reason(folder, sha256, serving) for kind, sha256 in named.models.items()}
    kept = {kind: sha256 for kind, sha256 in named.models.items() if not reasons[kind]}
    calibration = named.calibration if ModelKind.XGBOOST in kept else None
    return UsableModels(
        Pointer(kept, calibration), tuple(reason for reason in reasons.values() if reason)
    )


def _reason(folder: Path, sha256: str, serving: ServingVersions) -> str:
    try:
        reason = serving.reason_to_leave_out(read_artefact(folder, sha256).about)
    except UnknownFeatures as error:
        return str(error)
    return f"model {sha256[:VERSION_LENGTH]} {reason}" if reason else ""
