"""Which fitted models are kept, so that a fit a day does not fill the disk.

Of the folder that training writes to: what the pointer names, and of each kind the five that were
fitted last, one of which an operator may point back to. A batch that is run again needs none of
them: the detector has copied what it used, and of its copies keeps those of its last five uses
(:mod:`fraudwatch.adapters.artefacts.reloadable_models`), of which Spark only ever runs the last one
again. What cannot be read as a model is nobody's to remove.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Final

from fraudwatch.adapters.artefacts.model_artefact import MODEL_FILES, held_pointer, read_artefact
from fraudwatch.domain.models.fitted import BrokenModel, ModelKind

KEPT_OF_EACH_KIND: Final = 5


def prune_fitted(folder: Path) -> None:
    """Remove what was fitted too long ago; the pointer cannot move meanwhile."""
    with held_pointer(folder) as pointer:
        MODEL_FILES.keep_only(folder, {*pointer.values(), *_newest(folder)})


def _newest(folder: Path) -> set[str]:
    """The last of each kind, and whatever tells of none."""
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
