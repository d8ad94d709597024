"""Prune fitted models, so that a daily fit does not fill the disk.

In the folder that training writes to it keeps the active models, the canary, and the last five
fitted of each kind, to which an operator may roll back, and of each kept classifier the last five
calibrations; the registry restores older ones. A replayed micro-batch needs none of them: the
detector has its own copies for its last five journal entries
(:mod:`fraudwatch.adapters.artefacts.reloadable_models`), of which Spark replays only the last.
Files that cannot be read as what they are named are kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

from fraudwatch.adapters.artefacts.calibration_artefact import CALIBRATION_FILES, read_calibration
from fraudwatch.adapters.artefacts.model_artefact import MODEL_FILES, read_artefact
from fraudwatch.adapters.artefacts.model_pointer import locked_pointer
from fraudwatch.domain.calibration.calibrator import BrokenCalibration
from fraudwatch.domain.models.fitted import BrokenModel, ModelKind

KEPT_OF_EACH_KIND: Final = 5


def prune_fitted(folder: Path) -> None:
    """Remove old models, holding the pointer's lock."""
    with locked_pointer(folder) as pointer:
        models = {*pointer.model_hashes, *_newest_models(folder)}
        MODEL_FILES.keep_only(folder, models)
        CALIBRATION_FILES.keep_only(
            folder, {*pointer.calibration_hashes, *_newest_calibrations(folder, models)}
        )


def _newest_models(folder: Path) -> set[str]:
    """Return the newest of each kind, and the unreadable ones."""
    kept, by_kind = set[str](), defaultdict[ModelKind, list[tuple[int, str]]](list)
    for sha256 in MODEL_FILES.in_folder(folder):
        try:
            about = read_artefact(folder, sha256).about
        except BrokenModel:
            kept.add(sha256)
        else:
            by_kind[about.kind].append((about.fitted_at_ms, sha256))
    for fitted in by_kind.values():
        kept |= _last(fitted)
    return kept


def _newest_calibrations(folder: Path, models: AbstractSet[str]) -> set[str]:
    """Return the newest of each of these models, and the unreadable ones."""
    kept, by_model = set[str](), defaultdict[str, list[tuple[int, str]]](list)
    for sha256 in CALIBRATION_FILES.in_folder(folder):
        try:
            found = read_calibration(folder, sha256)
        except BrokenCalibration:
            kept.add(sha256)
        else:
            by_model[found.model_sha256].append((found.fitted_at_ms, sha256))
    for model in by_model.keys() & models:
        kept |= _last(by_model[model])
    return kept


def _last(fitted: list[tuple[int, str]]) -> set[str]:
    return {sha256 for _, sha256 in sorted(fitted)[-KEPT_OF_EACH_KIND:]}
