"""Load the candidate from its folder, as it is scored with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fraudwatch.adapters.artefacts.candidate_folder import (
    BrokenCandidate,
    CandidateModel,
    comparison_in,
    read_manifest,
)
from fraudwatch.adapters.artefacts.model_pointer import Pointer
from fraudwatch.adapters.artefacts.policy_file import parse_policy
from fraudwatch.adapters.artefacts.reloadable_models import load_named
from fraudwatch.adapters.artefacts.usable_models import usable_models
from fraudwatch.domain.calibration.calibrator import BrokenCalibration
from fraudwatch.domain.models.active_models import ActiveModels, check_outputs
from fraudwatch.domain.models.fitted import BrokenModel, ModelKind
from fraudwatch.domain.models.serving import ServingVersions
from fraudwatch.domain.policy.policy import BrokenPolicy, Policy
from fraudwatch.domain.shadow import Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A candidate with what it is compared by; None stands for the live one of each purchase."""

    comparison: Comparison
    policy: Policy | None = None
    models: ActiveModels | None = None
    """The classifier with its calibration; the isolation forest stays the live one."""


def load_candidate(folder: Path, serving: ServingVersions) -> Candidate | None:
    """Load the candidate; None if there is none.

    Raises:
        BrokenCandidate: it cannot be used.
    """
    document = read_manifest(folder)
    if document is None:
        return None
    comparison = comparison_in(document)
    try:
        named = document["policy"]
        policy = parse_policy((folder / f"{named}.yaml").read_bytes()) if named else None
        model = CandidateModel(**document["model"]) if document["model"] else None
        models = _models(folder, model, serving) if model else None
    except (OSError, BrokenPolicy, BrokenModel, BrokenCalibration, TypeError) as error:
        raise BrokenCandidate(f"the candidate cannot be used: {error}") from error
    return Candidate(comparison=comparison, policy=policy, models=models)


def _models(folder: Path, model: CandidateModel, serving: ServingVersions) -> ActiveModels:
    pointer = Pointer({ModelKind.XGBOOST: model.sha256}, model.calibration)
    if left_out := usable_models(folder, pointer, serving).left_out:
        raise BrokenModel("; ".join(left_out))
    models = load_named(folder, pointer)
    check_outputs(models)
    return models
