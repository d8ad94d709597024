"""Model artefacts: immutable files named by their hash.

An artefact is one ``<sha256>.npz``: a description and plain arrays, never pickled code. The
pointer (:mod:`fraudwatch.adapters.artefacts.model_pointer`) names the active ones. Retention:
:mod:`fraudwatch.adapters.artefacts.model_pruning`.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from fraudwatch.adapters.artefacts.hashed_files import HashedFiles
from fraudwatch.domain.models.fitted import BrokenModel, ModelKind, ModelMetadata, Normal

MODEL_FILES: Final = HashedFiles("model", ".npz", "fit it again", BrokenModel)
_DESCRIPTION = "about"
_NORMAL = "normal_"
_DAMAGED = (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile)


@dataclass(frozen=True, slots=True)
class Artefact:
    """Fitted model as a description and arrays."""

    about: ModelMetadata
    normal: Normal
    arrays: Mapping[str, np.ndarray[Any, Any]]


def write_artefact(folder: Path, artefact: Artefact) -> str:
    """Write an artefact and return its hash; it is on disk when this returns."""
    about = json.dumps(asdict(artefact.about), sort_keys=True).encode()
    arrays: dict[str, Any] = {_DESCRIPTION: np.frombuffer(about, np.uint8), **artefact.arrays}
    arrays |= {f"{_NORMAL}{name}": values for name, values in artefact.normal._asdict().items()}
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    return MODEL_FILES.write(folder, content.getvalue())


def read_artefact(folder: Path, sha256: str) -> Artefact:
    """Read the artefact of this hash.

    Raises:
        FileNotFoundError: it is not there (yet).
        BrokenModel: its content does not match the hash, or cannot be used.
    """
    content = MODEL_FILES.read(folder, sha256)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
        about = json.loads(arrays.pop(_DESCRIPTION).tobytes())
        normal = Normal(*(arrays.pop(f"{_NORMAL}{name}") for name in Normal._fields))
        described = {
            **about,
            "kind": ModelKind(about["kind"]),
            "features": tuple(about["features"]),
        }
        return Artefact(ModelMetadata(**described), normal, arrays)
    except BrokenModel as error:
        raise type(error)(f"model {sha256[:12]} cannot be used: {error}") from None
    except _DAMAGED as error:
        raise BrokenModel(
            f"model {sha256[:12]} cannot be read ({type(error).__name__}: {error}); fit it again"
        ) from error
