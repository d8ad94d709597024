"""Model artefacts: immutable files named by their hash, and the pointer to the active ones.

An artefact is one ``<sha256>.npz``: a description and plain arrays, never pickled code. The
pointer, ``champion.json`` beside them, names the active model of each kind and the classifier's
calibration; it is replaced atomically after its artefacts are on disk. A kind that it does not name
is not used. Retention: :mod:`fraudwatch.adapters.artefacts.model_pruning`.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from fraudwatch.adapters.artefacts.hashed_files import SHA256, HashedFiles
from fraudwatch.adapters.durable_file import lock_file, replace_file
from fraudwatch.domain.models.fitted import BrokenModel, ModelKind, ModelMetadata, Normal

POINTER_NAME: Final = "champion.json"
MODEL_FILES: Final = HashedFiles("model", ".npz", "fit it again", BrokenModel)
_DESCRIPTION = "about"
_NORMAL = "normal_"
_DAMAGED = (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile)
_CALIBRATION = "calibration"


@dataclass(frozen=True, slots=True)
class Pointer:
    """Hashes of the active artefacts."""

    models: Mapping[ModelKind, str] = field(default_factory=dict)
    calibration: str | None = None
    """Of the classifier."""

    def to_json(self) -> bytes:
        """Encode the pointer as its file's content."""
        named = {str(kind): sha256 for kind, sha256 in self.models.items()}
        if self.calibration:
            named[_CALIBRATION] = self.calibration
        return f"{json.dumps(named, indent=2, sort_keys=True)}\n".encode()


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


def parse_pointer(content: bytes) -> Pointer:
    """Parse the pointer: the active artefact of each kind, and the calibration.

    Raises:
        BrokenModel: the document is not a pointer.
    """
    try:
        document = json.loads(content)
    except ValueError as error:
        raise BrokenModel(f"it is no JSON: {error}") from error
    kinds = {*ModelKind, _CALIBRATION}
    if not isinstance(document, dict) or document.keys() - kinds:
        raise BrokenModel(
            f"it must map kinds of artefacts to hashes; kinds are {', '.join(sorted(kinds))}"
        )
    for kind, sha256 in document.items():
        if not isinstance(sha256, str) or not SHA256.fullmatch(sha256):
            raise BrokenModel(f"its {kind} is no SHA-256 of 64 lowercase hexadecimal digits")
    calibration = document.pop(_CALIBRATION, None)
    if calibration is not None and ModelKind.XGBOOST not in document:
        raise BrokenModel("it names a calibration without the classifier that it is for")
    return Pointer({ModelKind(kind): sha256 for kind, sha256 in document.items()}, calibration)


def point_to(folder: Path, kind: ModelKind, sha256: str, *, calibration: str | None = None) -> None:
    """Activate an artefact from the stream's next micro-batch on; other kinds stay unchanged.

    A classifier is activated with its calibration, in one step.
    """
    with locked_pointer(folder) as known:
        kept = calibration if kind is ModelKind.XGBOOST else known.calibration
        replace_pointer(folder, Pointer({**known.models, kind: sha256}, kept))


def replace_pointer(folder: Path, pointer: Pointer) -> None:
    """Replace the pointer durably; the caller holds its lock."""
    replace_file(folder / POINTER_NAME, pointer.to_json())


@contextmanager
def locked_pointer(folder: Path) -> Iterator[Pointer]:
    """Read the pointer under its lock; an absent one names nothing.

    Raises:
        BrokenModel: the document is not a pointer.
    """
    pointer = folder / POINTER_NAME
    with lock_file(pointer):
        yield parse_pointer(pointer.read_bytes()) if pointer.exists() else Pointer()
