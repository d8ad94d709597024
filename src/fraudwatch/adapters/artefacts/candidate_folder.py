"""Folder of the candidate: a policy, a classifier with its calibration, or both, and a manifest.

The manifest is replaced atomically after the files that it names are on disk, and removed to stop.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from fraudwatch.adapters.artefacts.calibration_artefact import CALIBRATION_FILES
from fraudwatch.adapters.artefacts.model_artefact import MODEL_FILES
from fraudwatch.adapters.artefacts.policy_file import parse_new_policy
from fraudwatch.adapters.durable_file import replace_file, sync_folder
from fraudwatch.domain.calibration.calibrator import BrokenCalibration
from fraudwatch.domain.models.fitted import VERSION_LENGTH, BrokenModel
from fraudwatch.domain.policy.policy import BrokenPolicy
from fraudwatch.domain.shadow import Comparison

MANIFEST_NAME: Final = "candidate.json"
_ID_DIGITS: Final = 12


class BrokenCandidate(ValueError):
    """The candidate cannot be used; the text names the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateModel:
    """Hashes of a classifier and of its calibration."""

    sha256: str
    calibration: str


def start_comparison(
    folder: Path,
    *,
    policy: bytes | None,
    model: CandidateModel | None,
    models_folder: Path,
    started_at_ms: int,
    from_at_ms: int,
    started_by: str,
    record: Callable[[Comparison], None] = lambda _: None,
) -> Comparison:
    """Copy a candidate's files to the folder, then its manifest; it replaces a former one.

    ``record`` writes the audit record before the start; an exception prevents it.

    Raises:
        BrokenCandidate: it is neither, or one of both cannot be used; nothing was changed.
    """
    if policy is None and model is None:
        raise BrokenCandidate("a candidate is a policy, a model, or both; none was given")
    comparison = _comparison(policy, model, started_at_ms, from_at_ms, started_by)
    document: dict[str, Any] = {"comparison": asdict(comparison), "policy": None, "model": None}
    try:
        if model is not None:
            MODEL_FILES.copy(models_folder, folder, model.sha256)
            CALIBRATION_FILES.copy(models_folder, folder, model.calibration)
            document["model"] = asdict(model)
    except (FileNotFoundError, BrokenModel, BrokenCalibration) as error:
        raise BrokenCandidate(str(error)) from error
    if policy is not None:
        sha256 = hashlib.sha256(policy).hexdigest()
        replace_file(folder / f"{sha256}.yaml", policy)
        document["policy"] = sha256
    record(comparison)
    replace_file(folder / MANIFEST_NAME, f"{json.dumps(document, indent=2)}\n".encode())
    _prune(folder, document)
    return comparison


def stop_comparison(folder: Path) -> bool:
    """Remove the manifest; False if there was none."""
    path = folder / MANIFEST_NAME
    if not path.exists():
        return False
    path.unlink(missing_ok=True)
    sync_folder(folder)
    return True


def current_comparison(folder: Path) -> Comparison | None:
    """Return the comparison that the manifest names; None if there is none.

    Raises:
        BrokenCandidate: the manifest cannot be read.
    """
    document = read_manifest(folder)
    return None if document is None else comparison_in(document)


def _comparison(
    policy: bytes | None,
    model: CandidateModel | None,
    started_at_ms: int,
    from_at_ms: int,
    started_by: str,
) -> Comparison:
    try:
        policy_version = None if policy is None else parse_new_policy(policy).version
    except BrokenPolicy as error:
        raise BrokenCandidate(f"the policy cannot be used: {error}") from error
    model_version = None if model is None else model.sha256[:VERSION_LENGTH]
    named = f"{started_at_ms} {from_at_ms} {policy_version} {model_version}"
    return Comparison(
        comparison_id=hashlib.sha256(named.encode()).hexdigest()[:_ID_DIGITS],
        started_at_ms=started_at_ms,
        from_at_ms=from_at_ms,
        started_by=started_by,
        policy_version=policy_version,
        model_version=model_version,
    )


def read_manifest(folder: Path) -> Mapping[str, Any] | None:
    """Read the manifest: `comparison`, `policy` and `model`; None if there is none.

    Raises:
        BrokenCandidate: it cannot be read.
    """
    try:
        document = json.loads((folder / MANIFEST_NAME).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BrokenCandidate(f"{folder / MANIFEST_NAME} cannot be read: {error}") from error
    if not isinstance(document, dict) or not {"comparison", "policy", "model"} <= document.keys():
        raise BrokenCandidate(f"{folder / MANIFEST_NAME} is no manifest of a candidate")
    return document


def comparison_in(document: Mapping[str, Any]) -> Comparison:
    """Return the comparison of a manifest; raises as :func:`read_manifest`."""
    try:
        return Comparison(**document["comparison"])
    except TypeError as error:
        raise BrokenCandidate(
            f"its comparison lacks a field, or has another one: {error}"
        ) from error


def _prune(folder: Path, document: Mapping[str, Any]) -> None:
    """Remove the files of former candidates."""
    model = document["model"] or {}
    MODEL_FILES.keep_only(folder, {model["sha256"]} if model else set())
    CALIBRATION_FILES.keep_only(folder, {model["calibration"]} if model else set())
    for path in folder.glob("*.yaml"):
        if path.stem != document["policy"]:
            path.unlink(missing_ok=True)
