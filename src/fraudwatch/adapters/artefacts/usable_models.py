"""Leave out of a pointer the models that may not be served: other features, another label delay."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from fraudwatch.adapters.artefacts.model_artefact import read_artefact
from fraudwatch.adapters.artefacts.model_pointer import Pointer
from fraudwatch.domain.models.fitted import VERSION_LENGTH, ModelKind, UnknownFeatures
from fraudwatch.domain.models.serving import ServingVersions


class UsableModels(NamedTuple):
    """Pointer to the models that may be served, and a sentence for each that is left out."""

    pointer: Pointer
    left_out: tuple[str, ...]


def usable_models(folder: Path, named: Pointer, serving: ServingVersions) -> UsableModels:
    """Check every model that a pointer names; calibration and canary stay with the classifier.

    Raises:
        FileNotFoundError: an artefact is not there.
        BrokenModel: an artefact cannot be used.
    """
    reasons = {kind: _reason(folder, sha256, serving) for kind, sha256 in named.models.items()}
    kept = {kind: sha256 for kind, sha256 in named.models.items() if not reasons[kind]}
    has_classifier = ModelKind.XGBOOST in kept
    calibration = named.calibration if has_classifier else None
    canary = named.canary if has_classifier else None
    if canary and (of_canary := _reason(folder, canary.model, serving)):
        return UsableModels(
            Pointer(kept, calibration),
            (*filter(None, reasons.values()), f"the canary is not used: {of_canary}"),
        )
    return UsableModels(
        Pointer(kept, calibration, canary), tuple(reason for reason in reasons.values() if reason)
    )


def _reason(folder: Path, sha256: str, serving: ServingVersions) -> str:
    try:
        reason = serving.reason_to_leave_out(read_artefact(folder, sha256).about)
    except UnknownFeatures as error:
        return str(error)
    return f"model {sha256[:VERSION_LENGTH]} {reason}" if reason else ""
