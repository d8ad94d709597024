"""Model artefacts: immutable files named by their hash, and the pointer to the active ones.

An artefact is one ``<sha256>.npz``: a description and plain arrays, never pickled code. The
pointer, ``champion.json`` beside them, names the active model of each kind; it is replaced
atomically after its artefact is on disk. A kind that it does not name is not used. Retention:
:mod:`fraudwatch.adapters.artefacts.model_pruning`.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
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

Pointer = Mapping[ModelKind, str]


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
        raise BrokenModel(f"model {sha256[:12]} cannot be used: {error}") from None
    except _DAMAGED as error:
        raise BrokenModel(
            f"model {sha256[:12]} cannot be read ({type(error).__name__}: {error}); fit it again"
        ) from error


def parse_pointer(content: bytes) -> Pointer:
    """Parse the pointer: the active artefact of each kind.

    Raises:
        BrokenModel: the document is not a pointer.
    """
    try:
        document = json.loads(content)
    except ValueError as error:
        raise BrokenModel(f"it is no JSON: {error}") from error
    kinds = ", ".join(ModelKind)
    if not isinstance(document, dict) or document.keys() - set(ModelKind):
        raise BrokenModel(f"it must map kinds of models to hashes; kinds are {kinds}")
    for kind, sha256 in document.items():
        if not isinstance(sha256, str) or not SHA256.fullmatch(sha256):
            raise BrokenModel(f"its {kind} is no SHA-256 of 64 lowercase hexadecimal digits")
    return {ModelKind(kind): sha256 for kind, sha256 in document.items()}


def point_to(folder: Path, kind: ModelKind, sha256: str) -> None:
    """Activate an artefact from the stream's next micro-batch on; other kinds stay unchanged."""
    with locked_pointer(folder) as known:
        text = json.dumps({**known, kind: sha256}, indent=2, sort_keys=True)
        replace_file(folder / POINTER_NAME, f"{text}\n".encode())


@contextmanager
def locked_pointer(folder: Path) -> Iterator[Pointer]:
    """Read the pointer under its lock; an absent one names nothing.

    Raises:
        BrokenModel: the document is not a pointer.
    """
    pointer = folder / POINTER_NAME
    with lock_file(pointer):
        yield parse_pointer(pointer.read_bytes()) if pointer.exists() else {}
