"""Prune fitted models, so that a daily fit does not fill the disk.

In the folder that training writes to it keeps the active models and the last five fitted of each
kind, to which an operator may roll back. A replayed micro-batch needs none of them: the detector
has its own copies for its last five journal entries
(:mod:`fraudwatch.adapters.artefacts.reloadable_models`), of which Spark replays only the last.
Files that cannot be read as a model are kept.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Final

from fraudwatch.adapters.artefacts.model_artefact import MODEL_FILES, locked_pointer, read_artefact
from fraudwatch.domain.models.fitted import BrokenModel, ModelKind

KEPT_OF_EACH_KIND: Final = 5


def prune_fitted(folder: Path) -> None:
    """Remove old models, holding the pointer's lock."""
    with locked_pointer(folder) as pointer:
        MODEL_FILES.keep_only(folder, {*pointer.values(), *_newest(folder)})


def _newest(folder: Path) -> set[str]:
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
        kept |= {sha256 for _, sha256 in sorted(fitted)[-KEPT_OF_EACH_KIND:]}
    return kept
